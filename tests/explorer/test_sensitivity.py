"""Assumptions moved: worlds, the front in them, conclusions that turn round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from explorer.enumeration import enumerate_front, question
from explorer.evaluation import Proposal
from explorer.fronts import front
from explorer.rivals import Enumerated, Evaluated
from explorer.sensitivity import Sensitivity, sensitivity, turns
from explorer.sensitivity_tables import effect_rows, flip_rows, regrouping_rows, summary, survivor_rows, tornado_figure
from explorer.simulator_problem import SimulatorProblem
from explorer.space import Space
from explorer.worlds import Shift, flips_at, possible_shifts, world
from simulators.protocol import (
    Assumption,
    Assumptions,
    BinaryVector,
    Bits,
    Categorical,
    Design,
    Designs,
    Field,
    HardwareSimulator,
    InputError,
    Integer,
    Report,
    Variable,
    Workload,
)
from tests.explorer.simulators import Counting, FormulaTraining, bench_problem, objectives


class Chip(HardwareSimulator):
    """Small tiles are slow and small; a tile costs what is assumed, beside a base."""

    name = "chip"
    meaning = "hangs on assumptions"
    fields: ClassVar[Mapping[str, Field]] = {"latency_s": Field("s", "time"), "area_mm2": Field("mm2", "silicon")}
    assumptions: ClassVar[Sequence[Assumption]] = (
        Assumption("tile_mm2", 2.0, "mm2", 0.1, 100, "guess", "area of a tile", likely=(1.0, 8.0)),
        Assumption("overhead_s", 1e-6, "s", 0, 1, "guess", "time of every tile", likely=(0.0, 3e-6)),
        Assumption("passes", 3, "", 1, 9, "known", "passes", likely=(3, 3)),
        Assumption("unread", 1.0, "", 0, 9, "guess", "nobody reads it", counts_if="in inference"),
    )

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        replaced = (settings or {}).get("assumptions", {})
        assert isinstance(replaced, Mapping)
        self.assumed = Assumptions(self.assumptions, replaced)

    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        return (Variable("tiles", Integer(1, 4), 1), Variable("fast", Integer(0, 1), 0))

    def simulate(self, designs: Designs, workload: Workload, *, breakdown: bool = False) -> Report:
        tiles, fast = designs["tiles"] + np.zeros(len(designs)), designs["fast"] + np.zeros(len(designs))
        totals = {
            "latency_s": 8e-6 / tiles / (1 + fast) + self.assumed["overhead_s"] * tiles,
            "area_mm2": 10.0 * fast + self.assumed["tile_mm2"] * tiles,
        }
        return Report(totals, infeasible={"{area_mm2:.0f} mm2 are too large": totals["area_mm2"] > 30})


def chip_problem(**options: Any) -> SimulatorProblem:
    return bench_problem({"chip": Chip()}, objectives("latency", "area"), **options)


def design(problem: SimulatorProblem, tiles: int, fast: int) -> Design:
    return problem.space.design({"tiles": tiles, "fast": fast})


def looked_at(problem: SimulatorProblem, settings: Mapping[str, Mapping[str, Any]] | None = None) -> Sensitivity:
    initial = [design(problem, 2, 1), design(problem, 4, 0)]
    return sensitivity(problem, settings or {}, Enumerated(problem, question(problem)), initial)


def test_what_is_known_for_certain_is_not_moved_and_the_file_says_where_the_others_stand() -> None:
    problem = bench_problem({"chip": Chip({"assumptions": {"tile_mm2": 8}})}, objectives("area"))
    shifts = possible_shifts(problem, {"chip": {"assumptions": {"tile_mm2": 8}}})
    assert {shift.name: (shift.standing, shift.ends) for shift in shifts} == {
        "tile_mm2": (8, (1.0,)), "overhead_s": (1e-6, (0.0, 3e-6)), "unread": (1.0, (0.5, 2.0)),
    }  # fmt: skip
    with pytest.raises(InputError, match="declares assumptions"):
        possible_shifts(bench_problem({"counting": Counting()}, objectives("area")), {})


def test_an_assumption_stands_where_a_setting_of_the_simulator_puts_it() -> None:
    from tests.explorer.simulators import DeepTrain

    settings = {"device": "pipelayer"}
    simulator = DeepTrain(settings)
    problem = bench_problem({"deeptrain": simulator}, objectives("energy"))
    shifts = {shift.name: shift for shift in possible_shifts(problem, {"deeptrain": settings})}
    shift, declared = shifts["write_energy_per_bit_j"], shifts["write_energy_per_bit_j"].assumption
    assert shift.standing == simulator.in_force()[shift.name] > declared.likely[1]
    assert shift.ends == (pytest.approx(shift.standing * declared.likely[1] / declared.value),), "its low end stands"
    assert Counting().in_force() == {}


def test_a_world_differs_in_one_assumption_only_and_the_problem_stays_as_it_is() -> None:
    problem = bench_problem(
        {"chip": Chip({"assumptions": {"overhead_s": 0}})},
        objectives("latency", "area"),
        constraints=["area <= 26 mm2"],
    )
    settings = {"chip": {"assumptions": {"overhead_s": 0}}}
    shift = possible_shifts(problem, settings)[0]
    there = world(problem, settings, shift, 5.0)
    designs = problem.space.at(range(problem.space.size))
    before, after = problem.known(designs), there.problem.known(designs)
    assert (after.objectives["latency"] == before.objectives["latency"]).all()
    assert (after.objectives["area"] - before.objectives["area"] == 3 * designs["tiles"]).all()
    assert (after.feasible == (after.objectives["area"] <= 26)).all()
    assert there.text == "tile_mm2 = 5 mm²"


def test_the_front_is_asked_for_in_every_world_among_all_designs() -> None:
    problem = chip_problem()
    found = looked_at(problem)
    assert found.worlds == 6
    shifts = possible_shifts(problem, {})
    for survivor in found.survivors:
        kept = 0
        for shift in shifts:
            for end in shift.ends:
                there = world(problem, {}, shift, end).problem
                kept += survivor.design in there.space.unpack(enumerate_front(there, question(there)).designs)
        assert survivor.kept == kept
        assert len(survivor.lost) == found.worlds - kept
    assert {survivor.kept < found.worlds for survivor in found.survivors} == {True, False}


def test_a_conclusion_that_turns_round_is_told_with_the_value_at_which_it_does() -> None:
    found = looked_at(chip_problem())
    told = {(flip.shift.name, flip.end, flip.was): flip for flip in found.flips}
    area = told["tile_mm2", 8.0, "area: tiles=4, fast=0 beats tiles=2, fast=1"]
    assert area.at == pytest.approx(5.0, rel=1e-4)  # 4 a = 10 + 2 a
    assert area.becomes == "tiles=2, fast=1 beats tiles=4, fast=0"
    assert "once tile_mm2 rises to 5 mm² (it stands at 2 mm² and may be 8 mm²)" in str(area)
    built = told["tile_mm2", 8.0, "tiles=4, fast=0 can be evaluated"]
    assert built.at == pytest.approx(7.5, rel=1e-4)
    assert "32 mm2 are too large" in built.becomes
    best = told["overhead_s", 3e-6, "latency: the best is tiles=2, fast=1"]
    assert best.becomes == "tiles=1, fast=1 beats it"
    assert best.at == pytest.approx(2e-6, rel=1e-4)  # 2 + 2 b = 4 + b
    assert not any(flip.shift.name == "unread" for flip in found.flips)


@pytest.mark.parametrize(("quick", "at", "new"), [(True, 20 / 3, 3), (False, 5.0, 4)])
def test_the_best_falls_to_one_that_can_be_evaluated_only_there(quick: bool, at: float, new: int) -> None:
    settings = {"chip": {"assumptions": {"tile_mm2": 8, "overhead_s": 0}}}
    problem = bench_problem({"chip": Chip(settings["chip"])}, objectives("latency", "area"))
    rivals = Enumerated(problem, question(problem))
    assert rivals.quick
    rivals.quick = quick
    found = sensitivity(problem, settings, rivals, [])
    told = {(flip.shift.name, flip.was): flip for flip in found.flips}
    flip = told["tile_mm2", "latency: the best is tiles=2, fast=1"]
    assert flip.becomes == f"tiles={new}, fast=1 beats it"
    assert flip.at == pytest.approx(at, rel=1e-4), "10 + n a = 30"


class Packed(Chip):
    """Tiles beside each other, or stacked: small, and twice as slow."""

    alternatives: ClassVar[Mapping[str, Sequence[object]]] = {"packing": ["stacked", "rolled"]}

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        super().__init__(settings)
        self.packing = (settings or {}).get("packing", "flat")
        if self.packing == "rolled":
            raise InputError("nothing is rolled yet")

    def simulate(self, designs: Designs, workload: Workload, *, breakdown: bool = False) -> Report:
        report = super().simulate(designs, workload)
        stacked = self.packing == "stacked"
        fast = designs["fast"] + np.zeros(len(designs))
        area = report.totals["area_mm2"] - stacked * 9.0 * fast
        return Report({**report.totals, "area_mm2": area}, infeasible=report.infeasible)


def test_a_setting_is_moved_to_each_alternative_and_back_to_its_default() -> None:
    problem = bench_problem({"chip": Packed()}, objectives("latency", "area"))
    found = looked_at(problem)
    assert found.worlds == 6 + 1
    assert found.notes == ("packing cannot be moved to rolled: nothing is rolled yet",)
    assert "each setting to its alternatives" in summary(found)[0]
    (flip,) = (flip for flip in found.flips if flip.shift.assumption is None)
    assert str(flip) == (
        "with packing = stacked: area: tiles=4, fast=0 beats tiles=2, fast=1; then: tiles=2, fast=1 beats tiles=4, "
        "fast=0"
    )
    assert any("packing = stacked" in survivor.lost for survivor in found.survivors)
    rows = {row[:3]: row[3:] for row in effect_rows(found, problem.space).rows}
    assert rows["setting packing", "default", "stacked"] == ("-", "-64.3 %")
    bars = {trace.name: trace for trace in tornado_figure(found).data if trace.xaxis == "x2"}
    assert "packing = stacked" in bars["other setting"].y
    assert {"simulator": "chip", "setting": "packing"}.items() <= found.to_json()["flips"][-1].items()
    settings = {"chip": {"packing": "stacked"}}
    moved = possible_shifts(bench_problem({"chip": Packed(settings["chip"])}, objectives("area")), settings)
    assert [(s.text(s.standing), s.text(s.ends[0])) for s in moved if s.name == "packing"] == [
        ("stacked", "rolled"), ("stacked", "default"),
    ]  # fmt: skip
    assert moved[-1].moved(settings["chip"], moved[-1].ends[0]) == {}


class Narrow(Packed):
    """Beside each other there is room for two tiles only, none of them fast."""

    alternatives: ClassVar[Mapping[str, Sequence[object]]] = {"packing": ["narrow"]}

    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        offered = super().variables(workload)
        return (Variable("tiles", Integer(1, 2), 1), offered[1]) if self.packing == "narrow" else offered

    def simulate(self, designs: Designs, workload: Workload, *, breakdown: bool = False) -> Report:
        for variable in self.variables(workload):
            variable.domain.column(designs[variable.name].tolist())  # raises where one is not offered
        return super().simulate(designs, workload)


def test_designs_that_a_world_does_not_offer_are_on_no_front_there() -> None:
    problem = bench_problem({"chip": Narrow()}, objectives("latency", "area"))
    found = looked_at(problem)
    assert not found.notes
    for survivor in found.survivors:
        assert ("packing = narrow" in survivor.lost) == (survivor.design["tiles"] in (3, 4))
    told = {flip.was: flip.becomes for flip in found.flips if flip.shift.name == "packing"}
    assert told["tiles=4, fast=0 can be evaluated"] == "cannot be evaluated (violates tiles not in [3, 4])"
    assert len(found.effects) > 0
    four = bench_problem({"chip": Narrow()}, objectives("latency", "area"), constraints=["tiles == 4"])
    found = sensitivity(four, {}, Enumerated(four, question(four)), [])
    assert all("packing = narrow" in survivor.lost for survivor in found.survivors)
    effects = {effect.shift.name: effect.changes for effect in found.effects}
    assert np.isnan(effects["packing"]).all(), "nothing can be built there"


def test_the_reram_cell_is_moved_and_bounds_what_can_be_built() -> None:
    from tests.explorer.simulators import DeepTrain

    searched = {"reram_layers": Integer(1, 3), "bn": BinaryVector(8, "C", (Bits([0] * 8),))}
    searched |= {"cell_bits": Categorical([2, 8]), "frequency_hz": Categorical([10e6, 40e6])}
    variables = {variable.name: variable for variable in DeepTrain().variables(Workload("vgg11"))}
    space = Space([replace(variables[name], domain=domain) for name, domain in searched.items()])
    problem = bench_problem({"deeptrain": DeepTrain()}, objectives("latency", "energy", "area"), space)
    found = sensitivity(problem, {}, Enumerated(problem, question(problem)), [])
    assert not found.notes
    lost = {(one.design["cell_bits"], one.design["frequency_hz"]): "device = pipelayer" in one.lost
            for one in found.survivors}  # fmt: skip
    assert lost == {bits: bits != (2, 10e6) for bits in lost}
    assert len(lost) > 1
    slow = problem.space.design({"cell_bits": 2, "frequency_hz": 10e6, "bn": "none"})
    found = sensitivity(problem, {}, Enumerated(problem, question(problem)), [slow])
    energy = {effect.shift.ends[0]: effect.changes[0][1] for effect in found.effects if not effect.shift.assumption}
    assert energy["pipelayer"] > 10, "what a write costs"
    assert energy[16] > 0 > energy[256], "batches between two writes of all weights"


def test_effects_are_relative_and_what_changes_nothing_is_named() -> None:
    problem = chip_problem()
    found = looked_at(problem)
    assert found.design == design(problem, 2, 1)
    assert [shift.name for shift in found.idle] == ["unread"]
    effects = {effect.shift.name: effect for effect in found.effects}
    assert effects["tile_mm2"].changes == ((0.0, pytest.approx(-1 / 7)), (0.0, pytest.approx(6 / 7)))
    assert effects["overhead_s"].changes == ((pytest.approx(-0.5), 0.0), (pytest.approx(1.0), 0.0))


def test_a_whole_number_flips_at_a_whole_number() -> None:
    shift = Shift("chip", Assumption("passes", 3, "", 1, 99, "known", "passes"), 3, (90,))
    assert flips_at(lambda value: value <= 41, shift, 90) == (41, 42)
    assert flips_at(lambda value: value >= 3, shift, 2) == (3, 2)


def test_a_world_that_cannot_be_had_is_noted() -> None:
    class Picky(Chip):
        def __init__(self, settings: Mapping[str, object] | None = None) -> None:
            super().__init__(settings)
            if self.assumed["tile_mm2"] > 7:
                raise InputError("tiles are too large")

    problem = bench_problem({"chip": Picky()}, objectives("latency", "area"))
    found = looked_at(problem)
    assert found.worlds == 5
    assert found.notes == ("tile_mm2 cannot be moved to 8 mm²: tiles are too large",)
    assert "no value" in {cell for row in effect_rows(found, problem.space).rows for cell in row}


def test_a_design_of_which_nothing_is_computed_has_no_effects_to_tell() -> None:
    problem = chip_problem(constraints=["tiles <= 3"])
    rivals = Enumerated(problem, question(problem))
    with pytest.raises(InputError, match="violates tiles <= 3"):
        sensitivity(problem, {}, rivals, [], problem.space.design({"tiles": 4}))
    nothing = chip_problem(constraints=["area < 1 mm2"])
    with pytest.raises(InputError, match="there is no front"):
        Enumerated(nothing, question(nothing))


def test_a_front_of_groups_is_tested_group_by_group() -> None:
    problem = chip_problem()
    rivals = Enumerated(problem, question(problem, per="tiles"))
    found = sensitivity(problem, {}, rivals, [])
    assert len(found.survivors) == 8
    fast = {one.design: one for one in found.survivors if one.design["fast"]}
    assert fast[design(problem, 3, 1)].lost == ("tile_mm2 = 8 mm²",), "too large there; nothing of its group beats it"
    assert fast[design(problem, 1, 1)].kept == found.worlds
    assert (found.groups, found.steady) == (4, 2), "those of 3 and 4 tiles are too large with large tiles"
    assert [(one.world, one.counts) for one in found.regroupings] == [("tile_mm2 = 8 mm²", (2, 1))], "4 slow tiles, too"
    assert summary(found)[2] == "2 of 4 groups keep their best designs in all worlds"
    assert regrouping_rows(found).rows == (("tile_mm2 = 8 mm²", "2", "1"),)


def test_what_turns_round_at_one_value_is_told_together() -> None:
    problem = chip_problem()
    initial = [design(problem, 4, 0), design(problem, 4, 0), design(problem, 2, 1)]
    found = sensitivity(problem, {}, Enumerated(problem, question(problem)), initial)
    lines = next(str(turn).splitlines() for turn in turns(found.flips) if "rises to 7.5 mm²" in turn.when)
    assert lines == [
        "once tile_mm2 rises to 7.5 mm² (it stands at 2 mm² and may be 8 mm²):",
        "  tiles=4, fast=0 can be evaluated; tiles=4, fast=0 can be evaluated; then: cannot be evaluated (32 mm2 are "
        "too large)",
    ]


def test_a_study_keeps_what_was_trained_and_computes_the_rest_anew() -> None:
    from tests.explorer.simulators import DeepTrain

    problem = bench_problem(
        {"deeptrain": DeepTrain(), "formula": FormulaTraining()}, objectives("accuracy", "latency", "area"),
        constraints=["reram_layers <= 2", "gpu_layers == 1", "tiles_per_layer == 144", "frequency_hz == 10 MHz"],
    )  # fmt: skip
    evaluations = [
        problem.evaluate(Proposal(problem.space.design({"bn": bn, "reram_layers": 2}), 10)) for bn in ("all", "C5,C7")
    ]
    rivals = Evaluated(problem, evaluations)
    assert set(rivals.designs) == {point.design for point in front(problem, evaluations)}
    verdict = rivals.verdict(problem)
    assert verdict.standing.all()
    shifts = {shift.name: shift for shift in possible_shifts(problem, {})}
    shift = shifts["gpu_lane_instructions_per_s"]
    slow = rivals.verdict(world(problem, {}, shift, shift.ends[0]).problem)
    assert (slow.values[:, 0] == verdict.values[:, 0]).all(), "accuracies"
    assert (slow.values[:, 1] > verdict.values[:, 1]).any(), "latencies"
    found = sensitivity(problem, {}, rivals, [evaluation.design for evaluation in evaluations])
    assert [objective.name for objective in found.of_front] == ["accuracy", "latency", "area"]
    assert [objective.name for objective in found.objectives] == ["latency", "area"]
    assert not any(flip.was.startswith("accuracy") for flip in found.flips)


def test_tables_and_the_plot_tell_the_same() -> None:
    problem = chip_problem()
    found = looked_at(problem)
    stay = sum(one.kept == 6 for one in found.survivors)
    assert summary(found)[0].startswith(f"{stay} of {len(found.survivors)} designs on the front stay there in all 6")
    assert "change nothing here: unread (counts in inference)" in summary(found)
    shift = replace(found.idle[0], assumption=replace(found.idle[0].assumption, counts_if="reads: all"))
    assert "change nothing here: unread (counts with reads: all)" in summary(replace(found, idle=(shift,)))
    rows = survivor_rows(found, problem.space, 2)
    assert len(rows.rows) == 2
    assert rows.rows[0][-2] == f"{min(one.kept for one in found.survivors)} of 6"
    assert 0 < len(flip_rows(found).rows) <= len(found.flips)
    effects = effect_rows(found, problem.space)
    assert [row[0] for row in effects.rows] == ["overhead_s", "overhead_s", "tile_mm2", "tile_mm2"]
    assert effects.rows[1][3] == "+100 %"
    figure = tornado_figure(found)
    assert figure.layout.xaxis.title.text == "change of latency [%]"
    smaller, larger = (trace for trace in figure.data if trace.xaxis == "x2")
    assert list(smaller.y) == ["tile_mm2"]
    assert (smaller.x[0], larger.x[0]) == (pytest.approx(-100 / 7), pytest.approx(600 / 7))
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert len(plain["front"]) == len(found.survivors)
    assert len(plain["effects"]) == 4
