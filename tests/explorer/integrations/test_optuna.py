from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest
import yaml
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, PartialFixedSampler, RandomSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase, RelativeSamplerTestCase
from optuna.trial import Trial, TrialState

from explorer.domination import nondominated
from explorer.integrations.optuna import ThompsonBQPSampler
from explorer.outline import ObjectiveInfo
from simulators.protocol import InputError


class TestThompsonBQPSampler(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    """Optuna's own suites, on the sampler as users get it."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return ThompsonBQPSampler


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def quick(seed: int = 0, n_startup_trials: int | None = None) -> ThompsonBQPSampler:
    return ThompsonBQPSampler(seed=seed, n_startup_trials=n_startup_trials, sweeps=150)


def bits(trial: Trial, count: int) -> NDArray[np.int64]:
    return np.array([trial.suggest_int(f"x{number}", 0, 1) for number in range(count)])


def all_points(count: int) -> NDArray[np.int64]:
    return (np.arange(2**count)[:, None] >> np.arange(count)) & 1


def program(count: int, seed: int) -> NDArray[np.float64]:
    """The matrix of a random binary quadratic program whose items act on their neighbours most."""
    distance = np.subtract.outer(np.arange(count), np.arange(count))
    return np.random.default_rng(seed).normal(size=(count, count)) * np.exp(-(distance**2) / 100)


def points(study: optuna.Study) -> list[tuple[object, ...]]:
    return [tuple(trial.params[name] for name in sorted(trial.params)) for trial in study.trials]


# -- quality --------------------------------------------------------------------------------------------------------


def test_it_finds_the_optimum_of_binary_quadratic_programs_in_far_fewer_trials_than_random_sampling() -> None:
    def best(sampler: BaseSampler, seed: int) -> float:
        matrix = program(10, seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(lambda trial: float((x := bits(trial, 10)) @ matrix @ x), n_trials=45)
        values = ((all_points(10) @ matrix) * all_points(10)).sum(axis=1)
        return study.best_value / float(values.max())

    thompson = [best(quick(seed), seed) for seed in range(3)]
    random = [best(RandomSampler(seed=seed), seed) for seed in range(3)]
    assert min(thompson) > 0.95
    assert np.mean(thompson) > np.mean(random) + 0.1


def test_what_is_to_be_made_small_is_made_small() -> None:
    study = optuna.create_study(sampler=quick())
    study.optimize(lambda trial: float(bits(trial, 8)[:5].sum()), n_trials=20)
    assert np.mean([trial.value or 0.0 for trial in study.trials[10:]]) < 1.0


def test_two_objectives_get_a_better_front_than_by_random_sampling() -> None:
    one, two = program(8, 0), program(8, 1)
    table = np.array([(x @ one @ x, x @ two @ x) for x in all_points(8)])
    directions = (ObjectiveInfo("one", "maximize", "", False), ObjectiveInfo("two", "minimize", "", False))
    front = {tuple(row) for row in np.round(table[nondominated(table, directions)], 9)}

    def found(sampler: BaseSampler) -> int:
        def objective(trial: Trial) -> tuple[float, float]:
            x = bits(trial, 8)
            return float(x @ one @ x), float(x @ two @ x)

        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        study.optimize(objective, n_trials=30)
        return len(front & {tuple(np.round(trial.values, 9)) for trial in study.best_trials})

    thompson = found(quick())
    assert thompson >= len(front) / 2
    assert thompson >= 2 * found(RandomSampler(seed=0))


def test_the_best_point_on_the_border_of_a_constraint_is_found() -> None:
    """One random point in six is feasible; the objective draws towards the others."""

    def share(sampler: BaseSampler, seed: int) -> float:
        worth = np.random.default_rng(seed).uniform(1, 5, 10)

        def objective(trial: Trial) -> float:
            x = bits(trial, 10)
            trial.set_constraint("at most three", float(x.sum() - 3))
            return float(worth @ x)

        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=50)
        feasible = [trial.value or 0.0 for trial in study.trials if trial.constraints["at most three"] <= 0]
        return max(feasible, default=0.0) / float(np.sort(worth)[-3:].sum())

    thompson = [share(quick(seed), seed) for seed in range(3)]
    assert min(thompson) > 0.93
    assert np.mean(thompson) > np.mean([share(RandomSampler(seed=seed), seed) for seed in range(3)]) + 0.05


def test_parameters_beside_the_modelled_ones_do_not_keep_good_points_from_being_tried_again() -> None:
    def objective(trial: Trial) -> float:
        return float(bits(trial, 3).sum()) + 0.1 * trial.suggest_float("noise", 0, 1)

    study = optuna.create_study(direction="maximize", sampler=quick())
    study.optimize(objective, n_trials=24)
    late = [sum(trial.params[f"x{number}"] for number in range(3)) for trial in study.trials[12:]]
    assert np.mean(late) > 2.5
    assert len({trial.params["noise"] for trial in study.trials}) == 24


# -- what a user may rely on ----------------------------------------------------------------------------------------


def test_no_point_is_suggested_twice_until_all_were() -> None:
    study = optuna.create_study(sampler=quick())
    study.optimize(lambda trial: float(bits(trial, 4).sum()), n_trials=20)
    assert len(set(points(study)[:16])) == 16
    assert np.mean([trial.value or 0.0 for trial in study.trials[16:]]) <= 1  # then the best are tried again


MIXED: dict[str, BaseDistribution] = {
    "category": CategoricalDistribution((None, "a", 2.5, True)),
    "stepped": IntDistribution(1, 9, step=4),
    "logarithmic": IntDistribution(3, 40, log=True),
    "grid": FloatDistribution(-0.3, 0.3, step=0.1),
    "bit": CategoricalDistribution((True, False)),
    "real": FloatDistribution(0, 1),
    "many": IntDistribution(0, 10**6),
    "single": IntDistribution(7, 7),
}


def test_every_value_of_every_kind_of_parameter_can_be_suggested() -> None:
    study = optuna.create_study(sampler=quick(n_startup_trials=90))
    for _ in range(90):
        study.tell(study.ask(MIXED), 0.0)
    seen = {name: {repr(trial.params[name]) for trial in study.trials} for name in MIXED}
    assert seen["category"] == {"None", "'a'", "2.5", "True"}
    assert seen["stepped"] == {"1", "5", "9"}
    assert len(seen["logarithmic"]) > 25
    assert len(seen["grid"]) == 7
    assert seen["bit"] == {"True", "False"}
    assert len(seen["real"]) == len(seen["many"]) == 90


def test_the_best_values_of_every_kind_of_parameter_are_found() -> None:
    def objective(trial: Trial) -> float:
        hit = (trial.params["category"] == "a") + (trial.params["stepped"] == 5) + bool(trial.params["bit"])
        return hit + trial.params["grid"] + trial.params["logarithmic"] / 40

    study = optuna.create_study(direction="maximize", sampler=quick())
    for _ in range(35):
        trial = study.ask({name: MIXED[name] for name in ("category", "stepped", "logarithmic", "grid", "bit")})
        study.tell(trial, objective(trial))
    assert study.best_value > 4


def searched(sampler: BaseSampler, trials: int, storage: BaseStorage | None = None) -> optuna.Study:
    def objective(trial: Trial) -> float:
        return float((x := bits(trial, 6)) @ program(6, 0) @ x) + trial.suggest_float("noise", 0, 0.1)

    study = optuna.create_study(storage=storage, study_name="searched", sampler=sampler, load_if_exists=True)
    study.optimize(objective, n_trials=trials)
    return study


def test_suggestions_follow_from_the_seed() -> None:
    assert points(searched(quick(1), 12)) == points(searched(quick(1), 12))
    assert points(searched(quick(1), 12)) != points(searched(quick(2), 12))


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_study_goes_on_from_its_storage_as_if_it_had_not_been_interrupted(kind: str, tmp_path: Path) -> None:
    def opened() -> BaseStorage:
        if kind == "sqlite":
            return optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'study.db'}")
        return JournalStorage(JournalFileBackend(str(tmp_path / "study.log")))

    searched(quick(), 8, opened())
    assert points(searched(quick(), 6, opened())) == points(searched(quick(), 14))


def test_one_sampler_serves_several_studies_in_turn() -> None:
    sampler = quick()
    studies = [optuna.create_study(sampler=sampler, direction=d) for d in ("minimize", "maximize")]
    wide = optuna.create_study(sampler=sampler)
    for _ in range(10):
        for study in studies:
            study.optimize(lambda trial: float(bits(trial, 5).sum()), n_trials=1)
        wide.optimize(lambda trial: float(bits(trial, 7).sum()), n_trials=1)
    alone = optuna.create_study(sampler=quick(), direction="maximize")
    alone.optimize(lambda trial: float(bits(trial, 5).sum()), n_trials=10)
    assert points(studies[1]) == points(alone)
    assert len(set(points(wide))) == 10


def test_parallel_threads_do_not_try_the_same_point() -> None:
    study = optuna.create_study(sampler=quick())
    study.optimize(lambda trial: float(bits(trial, 5).sum()), n_trials=1)  # the first has no model of the space yet
    study.optimize(lambda trial: float(bits(trial, 5).sum()), n_trials=31, n_jobs=2)
    assert len(set(points(study))) == 32


def test_workers_of_one_storage_do_not_get_the_same_point(tmp_path: Path) -> None:
    path = str(tmp_path / "study.log")
    space: dict[str, BaseDistribution] = {f"x{number}": IntDistribution(0, 1) for number in range(4)}
    first = optuna.create_study(study_name="s", storage=JournalStorage(JournalFileBackend(path)), sampler=quick())
    first.tell(first.ask(space), 0.0)
    second = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(path)), sampler=quick())
    asked = [study.ask() for study in (first, second) * 7]
    suggested = [tuple(trial.relative_params[name] for name in space) for trial in asked]  # no parameter is set yet
    assert len({*suggested, tuple(first.trials[0].params[name] for name in space)}) == 15


def test_enqueued_points_are_left_to_those_who_enqueued_them() -> None:
    study = optuna.create_study(sampler=quick())
    study.optimize(lambda trial: float(bits(trial, 3).sum()), n_trials=1)
    waiting = [point for point in all_points(3).tolist() if tuple(point) not in points(study)][:4]
    for point in waiting:
        study.enqueue_trial({f"x{number}": bit for number, bit in enumerate(point)})
    study.enqueue_trial({"x0": "neither", "x1": 7})
    space = study.sampler.infer_relative_search_space(study, study.trials[0])
    suggested = []
    for _ in range(3):
        trial = study._storage.get_trial(study._storage.create_new_trial(study._study_id))
        params = study.sampler.sample_relative(study, trial, space)
        suggested.append([params[f"x{number}"] for number in range(3)])
    assert not [point for point in suggested if point in waiting]


def test_trials_that_failed_or_were_pruned_or_are_not_finite_do_not_mislead_it() -> None:
    """Odd points break in several ways, and their values would have been the best."""

    def objective(trial: Trial) -> float:
        x = bits(trial, 6)
        if x[0]:
            match trial.number % 4:
                case 0:
                    raise optuna.TrialPruned
                case 1:
                    raise ValueError("broken")
                case 2:
                    return float("nan")
            return float("-inf")
        return float(x.sum())

    study = optuna.create_study(sampler=quick())
    study.optimize(objective, n_trials=40, catch=ValueError)
    states = {trial.state for trial in study.trials}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL}
    assert len(set(points(study))) == 40
    assert (0,) * 6 in points(study)[:25]


def test_conditional_parameters_and_those_whose_range_changes_leave_the_others_modelled() -> None:
    def objective(trial: Trial) -> float:
        x = bits(trial, 4)
        trial.suggest_int("range", 0, 3 + trial.number % 2)
        return float(x.sum()) + (trial.suggest_categorical("only sometimes", [0, 1]) if x[0] else 0)

    study = optuna.create_study(sampler=quick())
    study.optimize(objective, n_trials=30)
    assert np.mean([trial.value or 0.0 for trial in study.trials[15:]]) < 0.8


def test_fixed_parameters_stay_fixed_and_the_others_are_learnt() -> None:
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        sampler = PartialFixedSampler({"x0": 1, "x5": 1}, quick())
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: float(bits(trial, 6).sum()), n_trials=20)
    assert all(trial.params["x0"] == trial.params["x5"] == 1 for trial in study.trials)
    assert study.best_value == 2


def test_a_reseeded_sampler_suggests_something_else() -> None:
    def first_point(sampler: BaseSampler) -> tuple[object, ...]:
        study = optuna.create_study(sampler=sampler)
        study.ask({f"x{number}": IntDistribution(0, 1000) for number in range(6)})
        return points(study)[0]

    sampler = quick()
    before = first_point(sampler)
    assert first_point(sampler) == before
    sampler.reseed_rng()
    assert first_point(sampler) != before


@pytest.mark.parametrize("field", ["seed", "n_startup_trials", "sweeps"])
@pytest.mark.parametrize("value", [-1, 1.5, "a", True, float("nan")])
def test_what_is_no_whole_number_or_out_of_range_is_refused_at_once(field: str, value: object) -> None:
    with pytest.raises(InputError, match=f"{field}: must be a whole number from . up, not {value!r}"):
        ThompsonBQPSampler(**{field: value})  # type: ignore[arg-type]  # that is the point


def test_whole_numbers_of_numpy_are_taken() -> None:
    def first_points(sampler: ThompsonBQPSampler) -> list[tuple[object, ...]]:
        study = optuna.create_study(sampler=sampler)
        study.optimize(lambda trial: float(bits(trial, 4).sum()), n_trials=5)
        return points(study)

    own = first_points(ThompsonBQPSampler(seed=3, n_startup_trials=2, sweeps=10))
    three, two, ten = np.array([3, 2, 10])
    assert first_points(ThompsonBQPSampler(seed=three, n_startup_trials=two, sweeps=ten)) == own


def test_importing_the_explorer_does_not_import_optuna() -> None:
    code = "import explorer, explorer.integrations, sys; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- as a package of OptunaHub --------------------------------------------------------------------------------------

HUB = Path(__file__).parents[3] / "examples" / "optunahub" / "samplers" / "thompson_bqp"


def test_the_example_finds_its_optimum() -> None:
    ended = subprocess.run([sys.executable, "example.py"], cwd=HUB, capture_output=True, text=True, check=True)
    best, optimum = re.findall(r"-?\d+\.\d+", ended.stdout)
    assert best == optimum


def test_the_package_has_what_the_registry_asks_for() -> None:
    _, front_matter, text = (HUB / "README.md").read_text().split("---\n", 2)
    described = yaml.safe_load(front_matter)
    assert described.keys() == {"author", "title", "description", "tags", "optuna_versions", "license"}
    assert "sampler" in described["tags"]
    assert "## Class or Function Names\n\n- `ThompsonBQPSampler`" in text
    assert runpy.run_path(str(HUB / "__init__.py"))["ThompsonBQPSampler"] is ThompsonBQPSampler
