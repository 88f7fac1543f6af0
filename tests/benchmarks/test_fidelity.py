from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from tests.benchmarks.fidelity import bars, cost_of, picture, quoted, summary
from tests.benchmarks.runs import collect

BUDGET = 10.0


def runs(strategy: str, *costs: float) -> pandas.DataFrame:
    """A search for each seed, that has half the hypervolume at first and 97 % at some cost."""
    return pandas.concat([
        pandas.DataFrame({
            "problem": "bn-bench", "strategy": strategy, "seed": seed, "cost": [1.0, cost], "share": [0.5, 0.97],
            "fidelity": 12, "by": strategy, "suggestion_cpu_s": 0.25, "budget": BUDGET,
        })
        for seed, cost in enumerate(costs)
    ], ignore_index=True)  # fmt: skip


def test_costs_are_those_of_the_first_evaluation_that_reaches_a_share() -> None:
    found = runs("mesmo", 4.0, 6.0)
    assert cost_of(found, 0.5).tolist() == [1.0, 1.0]
    assert cost_of(found, 0.95).tolist() == [4.0, 6.0]
    assert cost_of(found, 0.99).tolist() == [BUDGET, BUDGET]


def test_the_table_and_the_ratios_tell_what_was_not_reached() -> None:
    found = pandas.concat([runs("cf-mesmo", 2.0, 3.0, 4.0), runs("mesmo", 6.0, 6.0), runs("nsga2", 10.0, 10.0)])
    lines = {line[:22].strip(): line for line in summary(found).splitlines()}
    assert "3.0 (2.5 to 3.5)" in lines["cf-mesmo"]
    assert lines["cf-mesmo"].split()[-3:] == ["-1.52", "0.250", "3"]
    assert ">10.0" in lines["nsga2"]
    ratios = {line[:42].strip(): line[42:].split() for line in bars(found).splitlines()}
    assert ratios["cf-mesmo / mesmo"] == ["0.50", *["0.50", "(0.33", "to", "0.67)"] * 3, "-"]
    assert ratios["cf-mesmo / nsga2"] == ["0.25", *["<0.30", "(0.20", "to", "0.40)"] * 3, "-"]
    assert "cf-mesmo / qlog-nehvi" not in ratios


def test_a_portfolio_is_compared_with_the_better_of_its_members() -> None:
    found = pandas.concat([runs("cf-mesmo", 8.0), runs("thompson-bqp", 4.0), runs("portfolio", 5.0)])
    assert "portfolio / the better of its members     " in bars(found)
    assert bars(found).splitlines()[-1].split()[-13:] == [*["1.25", "(1.25", "to", "1.25)"] * 3, "-"]


def test_the_picture_has_a_line_for_each_strategy() -> None:
    found = pandas.concat([runs("cf-mesmo", 2.0), runs("mesmo", 6.0)])
    assert [trace.name for trace in picture(found).data if trace.name] == ["cf-mesmo", "mesmo"]


def frame(name: str, seed: int) -> pandas.DataFrame:
    return pandas.DataFrame({"name": [name], "seed": [seed]})


def failing(name: str, seed: int) -> pandas.DataFrame:
    if seed == 9:
        raise ArithmeticError(name)
    return frame(name, seed)


def test_all_runs_of_a_table_are_told_and_none_is_run_twice(tmp_path: Path) -> None:
    table = tmp_path / "runs.parquet"
    first = collect(table, frame, [("one", 0), ("two, with options", 1)], 1)
    assert first.run.tolist() == ["one-0", "two-with-options-1"]
    for path in (tmp_path / "runs").iterdir():
        path.unlink()  # the table alone is enough
    found = collect(table, frame, [("one", 0), ("one", 2)], 1)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["one-2.parquet"]
    assert list(zip(found.name, found.seed, strict=True)) == [("one", 0), ("one", 2), ("two, with options", 1)]
    pandas.testing.assert_frame_equal(collect(table, frame, [], 1), found)


def test_a_table_without_runs_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"runs.parquet: nothing was run yet"):
        collect(tmp_path / "runs.parquet", frame, [], 1)


def test_what_was_run_before_an_interruption_is_kept(tmp_path: Path) -> None:
    table = tmp_path / "runs.parquet"
    with pytest.raises(ArithmeticError):
        collect(table, failing, [("one", 0), ("one", 9)], 1)
    written = (tmp_path / "runs" / "one-0.parquet").stat().st_mtime_ns
    assert not table.exists()
    assert collect(table, frame, [("one", 0), ("one", 9)], 1).seed.tolist() == [0, 9]
    assert (tmp_path / "runs" / "one-0.parquet").stat().st_mtime_ns == written


def test_the_readme_quotes_the_recorded_searches() -> None:
    recorded = pandas.read_parquet(Path(__file__).parent / "recorded" / "fidelity.parquet")
    assert quoted(recorded) in (Path(__file__).parents[2] / "README.md").read_text()


def test_fewer_searches_than_others_are_told_in_the_quoted_table() -> None:
    found = pandas.concat([runs("cf-mesmo", 2.0, 3.0, 4.0), runs("qlog-nehvi", 6.0, 10.0), runs("nsga2", 20.0)])
    park = runs("cf-mesmo", 2.0, 3.0).assign(problem="park", share=0.5)
    assert quoted(pandas.concat([found, park])).splitlines() == [
        "| | real accuracies of BN placements | four numbers, two trained objectives |",
        "|---|---|---|",
        "| `cf-mesmo` | 3.0, 3.0, 3.0 | > 10 |",
        "| `qlog-nehvi` | 8.0, 8.0, 8.0 (2 searches) | - |",
        "| `nsga2` | > 10 (1 search) | - |",
    ]
