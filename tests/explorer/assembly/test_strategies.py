from __future__ import annotations

from pathlib import Path

import pytest

from tests.explorer.assembly.mistakes import check_told_alone, mistakes_in
from tests.explorer.searches import line_of, write_search


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("strategy: random", "strategy: randon", "strategy", "did you mean 'random'?"),
        ("strategy: random", "strategy: {name: random, options: {a: 1}}", "strategy.options.a", "no options"),
        ("strategy: random", "strategy: {name: tpe, options: {a: 1}}", "strategy.options.a", "no such option"),
        ("random", "{name: tpe, options: {n_startup_trials: lots}}", "strategy.options.n_startup_trials", "not 'lots'"),
    ],
)
def test_a_wrong_strategy_or_option_is_told_alone_with_how_to_mend_it(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    check_told_alone(tmp_path, old, new, field, words)


@pytest.mark.parametrize(
    ("name", "options"),
    [("random", {"x": 1}), ("nsga2", {"popsize": 1}), ("tpe", {"a": 1}), ("gp-sampler", {"a": 1}),
     ("thompson-bqp", {"swepes": 1})],
)  # fmt: skip
def test_the_options_of_every_strategy_are_looked_at_beside_other_mistakes(
    tmp_path: Path, name: str, options: dict[str, int]
) -> None:
    path = write_search(
        tmp_path, ("random", f"{{name: {name}, options: {options}}}".replace("'", "")), ("area < 400", "aera < 400")
    )
    (_, constraint, _), (line, field, _) = mistakes_in(path)
    assert (constraint, line) == ("constraints.1", line_of(path, "strategy:"))
    assert field.startswith("strategy")
