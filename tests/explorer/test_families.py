from __future__ import annotations

import numpy as np
import pytest

from explorer.archive import Archive
from explorer.domination import Scale
from explorer.families import Families, best_member, value_families
from explorer.problem import Problem
from explorer.space import Space
from simulators.protocol import BinaryVector, Designs
from tests.explorer.problems import accuracy, all_designs, evaluate, family_problem


def rows_of(problem: Problem, texts: list[str]) -> Designs:
    """The variables that training reads, for some bit vectors."""
    domain = problem.space.variables["bn"].domain
    return Designs({"bn": domain.column([domain.parse(text) for text in texts])}, len(texts))


def test_every_family_holds_all_choices_of_the_other_variables() -> None:
    problem = family_problem()
    families = Families.of(problem, rows_of(problem, ["000", "011", "100"]), np.random.default_rng(0))
    designs = problem.space.unpack(families.designs)
    assert (families.count, families.members) == (3, 6)
    assert [str(design["bn"]) for design in designs] == ["000"] * 6 + ["011"] * 6 + ["100"] * 6
    assert len(set(designs)) == 18


def test_a_family_is_worth_what_its_completed_front_adds() -> None:
    """The same as evaluating one of its members and completing the front over the family."""
    problem = family_problem(constraints=["accuracy >= 0.44"])
    archive = Archive(problem)
    archive.add(evaluate(problem, {"bn": "010", "layers": 1, "size": 64}))
    texts = ["000", "001", "100", "110", "111"]
    families = Families.of(problem, rows_of(problem, texts), np.random.default_rng(0))
    designs = problem.space.unpack(families.designs)
    truth = np.array([accuracy(designs[6 * number]) for number in range(len(texts))])
    scale = Scale(problem.objectives, (0.0, 0.0, 0.0), (1.0, 5.0, 500.0))
    valued = value_families(problem, families, {"accuracy": truth}, scale, archive.front.matrix)
    before = scale.hypervolume(archive.front.matrix)
    for text, family in zip(texts, valued, strict=True):
        after = Archive(problem, archive.evaluations)
        trained = next(design for design in all_designs(problem) if str(design["bn"]) == text)
        after.add(evaluate(problem, trained))
        if family.satisfied:
            assert family.gain == pytest.approx(scale.hypervolume(after.front.matrix) - before, abs=1e-12)
        else:
            assert after.front.matrix.tolist() == archive.front.matrix.tolist()
    assert [family.satisfied for family in valued] == [True, False, True, True, True]


def test_the_member_that_adds_most_by_itself_is_named() -> None:
    problem = family_problem()
    families = Families.of(problem, rows_of(problem, ["110"]), np.random.default_rng(0))
    scale = Scale(problem.objectives, (0.0, 0.0, 0.0), (1.0, 5.0, 500.0))
    front = np.zeros((0, 3))
    (valued,) = value_families(problem, families, {"accuracy": np.array([0.8])}, scale, front)
    named = best_member(problem, families, valued, scale, front)
    known = problem.known(families.designs)
    single = [
        scale.hypervolume(np.array([[0.8, known.objectives["latency"][row], known.objectives["area"][row]]]))
        if known.feasible[row] else -1.0
        for row in range(families.members)
    ]  # fmt: skip
    assert named == problem.space.unpack(families.designs)[int(np.argmax(single))]


def test_a_family_of_which_nothing_can_be_built_is_worth_nothing() -> None:
    problem = family_problem(constraints=["latency <= 0.4"])  # only without bits on three layers
    families = Families.of(problem, rows_of(problem, ["111", "000"]), np.random.default_rng(0))
    scale = Scale(problem.objectives, (0.0, 0.0, 0.0), (1.0, 5.0, 500.0))
    none, some = value_families(problem, families, {"accuracy": np.array([0.9, 0.5])}, scale, np.zeros((0, 3)))
    assert (none.gain, none.satisfied, len(none.members)) == (-np.inf, False, 0)
    assert some.gain > 0
    assert best_member(problem, families, some, scale, np.zeros((0, 3)))["layers"] == 3


def test_with_one_objective_the_worth_is_its_best_value() -> None:
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(3)}), {"loss": lambda _: 1.0}, directions={"loss": "minimize"}
    )
    families = Families.of(problem, rows_of(problem, ["000", "111"]), np.random.default_rng(0))
    scale = Scale(problem.objectives, (0.0,), (1.0,))
    valued = value_families(problem, families, {"loss": np.array([0.3, 0.2])}, scale, np.zeros((0, 1)))
    assert [family.gain for family in valued] == [-0.3, -0.2]
