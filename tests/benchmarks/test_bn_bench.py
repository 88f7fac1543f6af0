"""The standard problem, on a table that nobody trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.evaluation import Evaluation, Proposal
from explorer.fronts import front
from explorer.simulator_problem import SimulatorProblem
from explorer.strategies import make_strategy
from simulators.protocol import Bits, Folder, InputError
from simulators.training.table import TrainingTable, read_table
from tests.benchmarks.bn_bench import Truth, bn_bench, repeatability
from tests.simulators.training.tables import made_up_table

EPOCHS = 6


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made-up") / "table.parquet"
    made_up_table(epochs=EPOCHS).write(path)
    return path


@pytest.fixture(scope="module")
def truth(table: Path) -> Truth:
    return Truth.of(table)


def random_run(problem: SimulatorProblem, count: int, seed: int = 0) -> list[Evaluation]:
    return [problem.evaluate(proposal) for proposal in make_strategy("random", problem, seed).suggest(count)]


def evaluated(problem: SimulatorProblem, bn: str, epochs: int = EPOCHS, replicate: int = 0) -> Evaluation:
    design = problem.space.design({"bn": Bits(map(int, bn))})
    return problem.evaluate(Proposal(design, epochs, replicate))


def test_the_problem_is_the_demos(table: Path, truth: Truth) -> None:
    problem = bn_bench(3, table=table)
    assert problem.space.size == 20_736
    assert {o.name: o.cheap for o in problem.objectives} == {
        "accuracy": False, "latency": True, "energy": True, "area": True,
    }  # fmt: skip
    assert (problem.reads, problem.seed) == (("bn",), 3)
    assert (problem.fidelity.low, problem.full_fidelity) == (1, EPOCHS) if problem.fidelity else False
    assert set(truth.accuracy) == set(truth.hardware) == {f"{number:08b}" for number in range(256)}


def test_the_true_front_is_the_one_that_evaluating_every_placement_finds(table: Path, truth: Truth) -> None:
    problem = bn_bench(table=table, average=True)
    everything = [evaluated(problem, bn) for bn in truth.accuracy]
    found = front(problem, everything).matrix
    assert len(truth.front) > 20
    assert np.array(sorted(map(tuple, found))) == pytest.approx(np.array(sorted(map(tuple, truth.front))), rel=1e-12)
    assert truth.share(everything) == truth.measured_share(everything) == pytest.approx(1.0)
    known = [problem.known(chunk).feasible.sum() for chunk in problem.space.enumerate()]
    assert truth.designs == sum(known)


def test_the_share_is_that_of_the_families_that_were_trained_to_the_end(table: Path, truth: Truth) -> None:
    problem = bn_bench(table=table)
    run = random_run(problem, 12)
    shares = truth.shares(run)
    assert shares[-1] == pytest.approx(truth.share(run))
    assert shares == pytest.approx([truth.share(run[: count + 1]) for count in range(12)])
    assert (np.diff(shares) >= 0).all()
    assert 0 < shares[0] < shares[-1] < 1
    best = max(truth.accuracy, key=lambda bn: truth.accuracy[bn])
    unfinished = evaluated(problem, best, epochs=EPOCHS - 1)
    assert truth.share([*run, unfinished]) == truth.share(run)
    assert truth.share([*run, evaluated(problem, best)]) > truth.share(run)
    assert truth.share([]) == 0


def test_luck_moves_what_was_measured_but_not_what_is_true(table: Path, truth: Truth) -> None:
    """The same placements with other seeds."""
    runs = [
        [evaluated(bn_bench(seed, table=table), f"{number:08b}") for number in range(0, 256, 4)] for seed in range(4)
    ]
    assert len({truth.share(run) for run in runs}) == 1
    measured = [truth.measured_share(run) for run in runs]
    assert len(set(measured)) == 4
    assert np.mean(measured) > truth.share(runs[0]), "the luckiest of many is believed"


def test_replicates_are_averaged(table: Path, truth: Truth) -> None:
    problem = bn_bench(table=table)
    (best,) = (bn for bn, value in truth.accuracy.items() if value == max(truth.accuracy.values()))
    replicates = [evaluated(problem, best, replicate=number) for number in range(6)]
    mean = float(np.mean([evaluation.values["accuracy"] for evaluation in replicates]))
    alone = truth.hypervolume(truth.front_of({best: mean})) / truth.hypervolume(truth.front)
    assert truth.measured_share(replicates) == pytest.approx(alone)


def test_placements_that_learn_too_little_are_worth_nothing(table: Path, truth: Truth) -> None:
    poor = [bn for bn, value in truth.accuracy.items() if value < 0.75]
    assert poor
    problem = bn_bench(table=table, average=True)
    assert truth.share([evaluated(problem, bn) for bn in poor]) == 0
    assert (truth.front[:, 0] >= 0.75).all()


def test_going_on_with_a_training_costs_the_difference(table: Path, tmp_path: Path) -> None:
    problem = bn_bench(table=table, checkpoints=Folder(tmp_path))
    first, second = evaluated(problem, "01010101", 2), evaluated(problem, "01010101")
    assert (first.cost, second.cost) == (2, EPOCHS - 2)
    assert second.series["accuracy"][:2] == first.series["accuracy"]


def test_there_is_no_true_front_of_a_partial_table(tmp_path: Path) -> None:
    made_up_table(placements=200).write(tmp_path / "table.parquet")
    with pytest.raises(InputError, match="lacks 56 placements"):
        Truth.of(tmp_path / "table.parquet")


def test_the_front_by_one_training_is_the_less_worth_to_the_others_the_noisier_they_are(truth: Truth) -> None:
    noisy, table = (made_up_table(epochs=EPOCHS) for _ in range(2))
    table.rows["accuracy"] = table.rows.groupby(["bn", "epoch"])["accuracy"].transform("mean")
    assert repeatability(truth, table) == pytest.approx([1.0] * 3)
    assert all(0.3 < share < 0.999 for share in repeatability(truth, noisy))
    once = TrainingTable(table.rows[table.rows["replicate"] == 0], table.settings)
    assert repeatability(truth, once) == []


def test_the_command_prints_the_facts_or_what_is_missing(table: Path, truth: Truth, tmp_path: Path) -> None:
    def call(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.benchmarks.bn_bench", "--table", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])

    told = call(table)
    assert told.returncode == 0, told.stderr
    assert f"{truth.designs} designs that can be built, of 256 placements" in told.stdout
    assert f"true front: {len(truth.front)} designs" in told.stdout
    assert f"{truth.hypervolume(truth.front):.4f}" in told.stdout
    assert len(read_table(table).curves) == 256
    missing = call(tmp_path / "none.parquet")
    assert missing.returncode == 2
    assert "there is no table" in missing.stderr
    assert "Traceback" not in missing.stderr
