"""Studies beside each other, against what the figures are defined as."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from explorer import InputError, Study
from explorer.study_comparison import _holm, compare_studies, coverage, superiority
from explorer.study_comparison_tables import comparison_tables
from explorer.traces import box
from tests.explorer.problems import family_problem
from tests.explorer.studies import REPLAYED, TRAINED, evaluated, rewritten

OBJECTIVES = family_problem().objectives[:2]
fronts = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6).map(
    lambda rows: np.array(rows, dtype=np.float64).reshape(len(rows), 2)
)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    """A search with three seeds, and three seeds of another strategy that saw half of the designs."""
    source = evaluated(tmp_path_factory.mktemp("source"), *TRAINED, changes=REPLAYED)
    found, search = [], source.record.search
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(source.evaluations))
        rows = [source.evaluations[place] for place in order]
        own = rewritten(source, tmp_path_factory.mktemp("r"), rows, name=f"r{seed}", search={**search, "seed": seed})
        other = {**search, "seed": seed, "strategy": {"name": "nsga2"}}
        half = [replace(row, strategy="nsga2") for row in rows[:3]]
        found += [own, rewritten(source, tmp_path_factory.mktemp("n"), half, name=f"n{seed}", search=other)]
    return found


def test_figures_are_those_of_the_fronts(studies: list[Study]) -> None:
    found, scale = compare_studies(studies, [0.5, 1.0]), box(studies)
    assert list(found.studies) == ["random", "nsga2"]
    whole = max(scale.hypervolume(study.front().matrix) for study in studies)  # the first group saw everything
    for study, figures in zip([*studies[::2], *studies[1::2]], found.figures, strict=True):
        assert (figures.name, figures.seed) == (study.name, int(study.name[1:]))
        assert figures.front == len(study.front())
        assert figures.evaluations == len(study.evaluations)
        assert figures.cost == sum(evaluation.cost for evaluation in study.evaluations)
        assert figures.hypervolume == pytest.approx(scale.hypervolume(study.front().matrix) / whole)
        assert figures.at_equal_cost <= figures.hypervolume + 1e-12
        assert (figures.cost_to[1] == float("inf")) == (figures.hypervolume < 1 - 1e-12)
    assert found.equal_cost == min(figures.cost for figures in found.figures)
    assert all(one.at_equal_cost == one.hypervolume for one in found.of("nsga2"))
    (difference,) = found.differences
    reached = [[one.at_equal_cost for one in found.of(name)] for name in ("random", "nsga2")]
    assert difference.superiority == superiority(*reached)
    assert difference.p_value == pytest.approx(mannwhitneyu(*reached, alternative="two-sided").pvalue)
    assert found.covered["random", "nsga2"] == 1.0
    assert found.covered["nsga2", "random"] < 1.0


@given(fronts, fronts)
def test_coverage_is_what_is_no_better_anywhere(front: Any, other: Any) -> None:
    covered = [any(own[0] >= row[0] and own[1] <= row[1] for own in front.tolist()) for row in other.tolist()]
    assert coverage(front, other, OBJECTIVES) == (np.mean(covered) if covered else 0.0)
    assert coverage(other, other, OBJECTIVES) == (1.0 if len(other) else 0.0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_superiority_counts_draws_by_halves(first: list[int], second: list[int]) -> None:
    assert superiority(first, second) == pytest.approx(1 - superiority(second, first))
    u = mannwhitneyu(first, second).statistic
    assert superiority(first, second) == pytest.approx(u / (len(first) * len(second)))


def test_p_values_of_several_tests_are_adjusted_by_holm() -> None:
    """The example is worked out by hand: sorted, times 3, 2, 1, never falling."""
    assert _holm([0.04, 0.01, None, 0.03]) == [pytest.approx(0.06), pytest.approx(0.03), None, pytest.approx(0.06)]
    assert _holm([0.9, 0.8]) == [1.0, 1.0]
    assert _holm([]) == []


def test_single_studies_are_compared_without_a_test(studies: list[Study]) -> None:
    found = compare_studies(studies[:2])
    assert [one.p_value for one in found.differences] == [None]
    (figures, _, differences) = comparison_tables(found)
    assert [row[0] for row in figures.rows] == ["random", "nsga2"]
    assert differences.rows[0][-1] == "too few to tell: 1, 3 would do"


@pytest.mark.parametrize("targets", [[0.0], [1.1], [-0.5]])
def test_targets_are_shares_of_the_whole(studies: list[Study], targets: list[float]) -> None:
    with pytest.raises(InputError, match="is no share of the whole"):
        compare_studies(studies, targets)


def test_what_cannot_be_compared_is_refused(studies: list[Study], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a comparison is of two studies at least"):
        compare_studies(studies[:1])
    with pytest.raises(InputError, match="is there twice"):
        compare_studies([studies[0], studies[1], studies[0]])
    empty = [rewritten(studies[0], _folder(tmp_path, name), [], name=name) for name in ("a", "b")]
    with pytest.raises(InputError, match="none of these studies has a front yet that has"):
        compare_studies(empty)
    assert len(compare_studies([studies[0], empty[0]]).figures) == 2, "one that has only begun is at zero"


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def test_the_command_prints_writes_and_draws(cli: Callable[..., Any], studies: list[Study], tmp_path: Path) -> None:
    names = [study.reference for study in studies]
    ended = cli("compare", *names)
    assert ended.code == 0, ended.err
    assert all(title in ended.out for title in ("Studies", "Coverage [%]", "Differences", "cost to 95 %"))
    found = compare_studies(studies, [0.5])
    assert cli("compare", *names, "--targets", "50 %", "--format", "json").out.strip() == found.to_json()
    assert json.loads(found.to_json())["studies"][0]["cost_to"].keys() == {"0.5"}
    assert cli("compare", *names, "--out", "c.csv").code == 0
    frame = pandas.read_csv(tmp_path / "c.csv")
    assert frame["hypervolume"].tolist() == [one.hypervolume for one in found.figures]
    assert cli("compare", *names, "--out", "c.html").code == 0
    page = (tmp_path / "c.html").read_text()
    assert page.count('class="plotly-graph-div"') == 2
    assert "<h2>Coverage [%]</h2>" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "rex: STUDY: a comparison is of two studies at least"),
        (["--targets", "most"], "rex: --targets: 'most' is no list of percents such as 80,90,95"),
        (["--targets", "120"], "rex: --targets: 1.2 is no share"),
    ],
)
def test_comparisons_that_make_no_sense_end_with_code_2(
    cli: Callable[..., Any], studies: list[Study], arguments: list[str], words: str
) -> None:
    names = [study.reference for study in studies[: 2 if arguments else 1]]
    ended = cli("compare", *names, *arguments)
    assert ended.code == 2
    assert words in ended.err
