"""What every strategy must do. A strategy's test inherits it::

    class TestRandomSearch(StrategyConformance):
        name = "random"

A strategy that takes seconds to think sets ``count``, how many evaluations its searches here have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from explorer.budget import Budget
from explorer.clock import SimulatedPool
from explorer.evaluation import Evaluation, Proposal
from explorer.fronts import derived_members
from explorer.problem import Problem
from explorer.search import Search
from explorer.space import Space
from explorer.strategies import Strategy, make_strategy
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Fidelity, InputError, Integer
from tests.explorer.problems import all_designs, evaluate, family_problem


def ones(design: Design) -> float:
    bits = design["bn"]
    assert isinstance(bits, Bits)
    return float(sum(bits))


def problem(
    space: Space, objectives: int = 2, constraints: Sequence[str] = (), fidelity: Fidelity | None = None, **options: Any
) -> Problem:
    """Different objectives over whatever the space holds."""

    def value(design: Design, number: int) -> float:
        text = [
            float(sum(v)) if isinstance(v, Bits) else float(len(v) if isinstance(v, str) else v)
            for v in design.values()
        ]
        return sum(math.sin(number + 1 + 0.1 * entry) * entry for entry in text)

    names = [f"o{number}" for number in range(objectives)]
    return Problem.from_functions(
        space,
        {name: lambda design, number=number: value(design, number) for number, name in enumerate(names)},
        directions=dict(zip(names, ["maximize", "minimize"] * 2, strict=False)),
        constraints=constraints, fidelity=fidelity, **options,
    )  # fmt: skip


MIXED = Space(
    {
        "bn": BinaryVector(5), "layers": Integer(-1, 3), "size": Categorical([64, 128, 0.5]),
        "word": Categorical(["relu", "gelu", "64 x"]), "fixed": Categorical([7]), "one": Integer(2, 2),
        "either": BinaryVector(4, "C", (Bits("1111"), Bits("0010"), Bits("0000"))),
    },
    ["layers + sum(bn) <= 5", "word != 'gelu' or size >= 64"],
)  # fmt: skip

PROBLEMS = {
    "mixed": lambda: problem(MIXED),
    "bits only": lambda: problem(Space({"bn": BinaryVector(7)}), 3),
    "few of thirty bits": lambda: problem(Space({"bn": BinaryVector(30)}, ["sum(bn) <= 3"]), 1),
    "one variable": lambda: problem(Space({"x": Integer(0, 500)}), 1),
    "words only": lambda: problem(Space({f"w{i}": Categorical(["a", "bb", "ccc"]) for i in range(4)}), 2),
    "families and fidelity": lambda: family_problem(),
    "cheap constraint": lambda: family_problem(constraints=["latency <= 2", "area < 340"]),
    "outcome constraints": lambda: family_problem(constraints=["accuracy >= 0.55", "accuracy > latency / 9"]),
    "nothing satisfies": lambda: family_problem(constraints=["accuracy >= 2"]),
    "cheap only": lambda: problem(MIXED, 2, cheap={"o0", "o1"}),
}


def small(constraints: Sequence[str] = ("layers + sum(bn) <= 4",), **options: Any) -> Problem:
    """11 feasible designs of 12."""
    space = Space({"bn": BinaryVector(2), "layers": Integer(1, 3)}, constraints)
    return problem(space, 2, **options)


class StrategyConformance:
    """See the module."""

    name: ClassVar[str]
    options: ClassVar[Mapping[str, object]] = {}
    count: ClassVar[int] = 18

    def make(self, problem: Problem, seed: int = 0) -> Strategy:
        return make_strategy(self.name, problem, seed, self.options)

    def drive(self, strategy: Strategy, count: int, batch: int = 1) -> list[Evaluation]:
        """``count`` evaluations, ``batch`` at a time."""
        evaluations: list[Evaluation] = []
        while len(evaluations) < count:
            proposals = strategy.suggest(min(batch, count - len(evaluations)))
            assert proposals, f"nothing new after {len(evaluations)} evaluations"
            found = [strategy.problem.evaluate(proposal) for proposal in proposals]
            wanted = strategy.opening_cost
            strategy.update(found, [])
            assert 0 <= strategy.opening_cost <= wanted < math.inf
            evaluations += found
        return evaluations

    def check(self, problem: Problem, proposals: Sequence[Proposal]) -> None:
        """Proposals are new, allowed and complete."""
        assert len({proposal.key for proposal in proposals}) == len(proposals)
        for proposal in proposals:
            assert problem.space.design(proposal.design) == proposal.design
            assert problem.why_infeasible(proposal.design) == ""
            assert proposal.replicate == 0
            assert proposal.strategy
            if problem.fidelity is None:
                assert proposal.fidelity is None
            else:
                assert problem.fidelity.parse(proposal.fidelity) == proposal.fidelity

    # -- proposals --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("case", PROBLEMS)
    def test_proposals_are_new_feasible_and_as_many_as_asked_for(self, case: str) -> None:
        problem = PROBLEMS[case]()
        evaluations = self.drive(self.make(problem), self.count)
        self.check(problem, [Proposal(e.design, e.fidelity, e.replicate, e.strategy) for e in evaluations])
        assert not any(evaluation.failed for evaluation in evaluations)
        assert len(evaluations) == self.count

    def test_a_batch_holds_as_many_different_proposals_as_asked_for(self) -> None:
        problem = PROBLEMS["mixed"]()
        strategy = self.make(problem)
        first = strategy.suggest(5)  # before anything is known
        strategy.update([], first)
        second = strategy.suggest(3)  # while all of these run
        strategy.update([problem.evaluate(first[2])], [*first[:2], *first[3:], *second])
        third = strategy.suggest(self.count // 2)
        assert [len(batch) for batch in (first, second, third)] == [5, 3, self.count // 2]
        self.check(problem, [*first, *second, *third])
        assert strategy.suggest(0) == []

    @pytest.mark.parametrize("batch", [1, 4, 50])
    def test_a_small_space_is_used_up_exactly(self, batch: int) -> None:
        problem = small()
        strategy = self.make(problem)
        proposals: list[Proposal] = []
        while found := strategy.suggest(batch):
            assert len(found) == min(batch, 11 - len(proposals))
            proposals += found
            strategy.update([problem.evaluate(proposal) for proposal in found], [])
        assert {proposal.design for proposal in proposals} == set(all_designs(problem))
        self.check(problem, proposals)
        assert strategy.suggest(1) == strategy.suggest(3) == []

    def test_a_space_of_one_design_is_used_up(self) -> None:
        problem = small(["layers == 2", "sum(bn) == 0"])
        strategy = self.make(problem)
        assert [p.design for p in strategy.suggest(2)] == [Design({"bn": Bits("00"), "layers": 2})]
        assert strategy.suggest(1) == []

    def test_the_same_seed_gives_the_same_proposals_and_another_seed_others(self) -> None:
        def designs(seed: int) -> list[Design]:
            return [e.design for e in self.drive(self.make(PROBLEMS["mixed"](), seed), self.count, batch=2)]

        first = designs(3)
        assert designs(3) == first
        assert designs(4) != first

    # -- what it is told --------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("case", ["mixed", "outcome constraints"])
    def test_what_others_proposed_is_not_proposed_again(self, case: str) -> None:
        problem = PROBLEMS[case]()
        others = self.drive(make_strategy("random", problem, 9), 6)
        running = make_strategy("random", problem, 10)
        running.update(others, [])
        now_running = running.suggest(2)
        strategy = self.make(problem)
        strategy.update(others, now_running)
        proposals = strategy.suggest(self.count // 4)
        taken = [Proposal(e.design, e.fidelity, strategy="others") for e in others]
        self.check(problem, [*taken, *now_running, *proposals])
        assert len(proposals) == self.count // 4
        # they finish, and so do ours: all of it is learnt from
        strategy.update([problem.evaluate(p) for p in (*now_running, *proposals)], [])
        self.check(problem, [*taken, *now_running, *proposals, *strategy.suggest(1)])

    def test_a_resumed_strategy_repeats_nothing(self) -> None:
        problem = PROBLEMS["mixed"]()
        earlier = self.drive(self.make(problem), self.count)
        again = self.make(problem)
        again.update(earlier, [])
        more = self.drive(again, self.count // 4)
        self.check(problem, [Proposal(e.design, e.fidelity, strategy=self.name) for e in (*earlier, *more)])

    def test_a_resumed_strategy_uses_up_what_is_left(self) -> None:
        problem = small()
        earlier = self.drive(self.make(problem), 7)
        again = self.make(problem)
        again.update(earlier, [])
        left = again.suggest(20)
        assert len(left) == 4
        assert {p.design for p in left} | {e.design for e in earlier} == set(all_designs(problem))

    def test_failed_low_fidelity_derived_and_repeated_evaluations_are_taken_in(self) -> None:
        problem = family_problem()
        designs = all_designs(problem)
        full = [evaluate(problem, design) for design in designs[:3]]
        low = [evaluate(problem, design, fidelity=fidelity) for design in designs[3:6] for fidelity in (1, 7)]
        failed = [replace(evaluate(problem, d), failure="it broke", values={}, quantities={}) for d in designs[6:9]]
        dead = replace(failed[0], design=designs[9], family="", failure="worker died")
        again = [evaluate(problem, design, replicate=1) for design in designs[:2]]
        derived = derived_members(problem, full[0])
        assert derived
        strategy = self.make(problem)
        told = [*full, *low, *failed, dead, *again, *derived]
        strategy.update(told, [])
        proposals = strategy.suggest(self.count // 4)
        assert len(proposals) == self.count // 4
        self.check(
            problem,
            [*(Proposal(e.design, e.fidelity, strategy="told") for e in (*full, *low, *failed, dead)), *proposals],
        )

    @pytest.mark.parametrize("share", [0.5, 1.0])
    def test_failures_do_not_stop_it(self, share: float) -> None:
        problem = PROBLEMS["mixed"]()
        strategy = self.make(problem)
        for number in range(self.count):
            (proposal,) = strategy.suggest(1)
            evaluation = problem.evaluate(proposal)
            if number % 2 == 0 or share == 1.0:
                evaluation = replace(evaluation, failure="it broke", values={})
            strategy.update([evaluation], [])

    def test_a_constraint_that_could_not_be_told_does_not_stop_it(self) -> None:
        """The loss of a diverged training is no number: its distance from a constraint is infinite."""
        problem = PROBLEMS["outcome constraints"]()
        strategy = self.make(problem)
        for number in range(self.count):
            (proposal,) = strategy.suggest(1)
            evaluation = problem.evaluate(proposal)
            strategy.update([replace(evaluation, violation=math.inf) if number % 3 == 0 else evaluation], [])

    def test_it_runs_a_search_with_many_workers_to_the_end(self) -> None:
        problem = small()
        saved: list[Evaluation] = []
        search = Search(problem, self.make(problem), SimulatedPool(problem, 5), Budget(), save=saved.extend)
        search.run()
        assert {evaluation.design for evaluation in saved if not evaluation.derived_from} == set(all_designs(problem))
        assert len(search.finished) == 11

    # -- bad input --------------------------------------------------------------------------------------------------

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(InputError, match="no_such_option"):
            make_strategy(self.name, small(), 0, {"no_such_option": 3})

    def test_a_problem_without_feasible_designs_is_refused(self) -> None:
        with pytest.raises(InputError, match="no design satisfies"):
            self.make(small(["layers > 3"])).suggest(1)
