from __future__ import annotations

from pathlib import Path

import pandas

from tests.benchmarks.fidelity import bars, cost_of, picture, summary
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


def test_all_runs_of_a_folder_are_told_and_none_is_run_twice(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    collect(folder, frame, [("one", 0), ("two, with options", 1)], 1)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {path.name for path in before} == {"one-0.parquet", "two-with-options-1.parquet"}
    found = collect(folder, frame, [("one", 0), ("one", 2)], 1)
    assert sorted(zip(found.name, found.seed, strict=True)) == [("one", 0), ("one", 2), ("two, with options", 1)]
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
