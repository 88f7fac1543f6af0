"""Every picture of a real study: what is drawn is what the study holds."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import InputError, Study
from explorer.archive import Archive
from explorer.breakdown import breakdowns
from explorer.plots.attainment import attainment_surfaces
from explorer.plots.breakdown import breakdown_figure
from explorer.plots.convergence import convergence_panels
from explorer.plots.kinds import KINDS, Wanted
from explorer.plots.papers import drawn
from explorer.plots.placements import placements
from explorer.query import Query
from explorer.traces import Trace, box, trace
from tests.explorer.problems import family_problem
from tests.explorer.studies import REPLAYED, TRAINED, evaluated, rewritten


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = evaluated(tmp_path_factory.mktemp("plots"), *TRAINED, changes=REPLAYED)
    archive = Archive(study.assemble(check_run=False).problem)
    for evaluation in study.evaluations:
        study.store.append(study.name, archive.add(evaluation))
    return study.refresh()


@pytest.fixture(scope="module")
def seeds(study: Study, tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    """The same search with other luck: the evaluations in other orders."""
    found, search = [study], study.record.search
    for seed in (1, 2):
        folder = tmp_path_factory.mktemp(f"seed{seed}")
        rows = list(np.random.default_rng(seed).permutation(np.array(study.evaluations, dtype=object)))
        found.append(rewritten(study, folder, rows, name=f"seed{seed}", search={**search, "seed": seed}))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_of_one_study_is_drawn(study: Study, kind: str) -> None:
    figure = KINDS[kind].figure(Wanted([study]))
    assert figure.data
    assert figure.to_json() == KINDS[kind].figure(Wanted([study.refresh()])).to_json(), "the same every time"


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.paper])
@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_pictures_for_papers_are_drawn_the_same_every_time(study: Study, kind: str, form: str) -> None:
    paper = KINDS[kind].paper
    assert paper is not None
    first, second = (drawn(paper(Wanted([study])), form) for _ in range(2))
    assert first == second
    assert first[:4] in (b"<?xm", b"%PDF", b"\x89PNG")
    if form == "svg":
        root = ET.fromstring(first)  # noqa: S314  # our own
        words = " ".join(text.strip() for text in root.itertext())
        assert {"pairs": "latency [µs] ↓", "convergence": "hypervolume", "placements": "C8"}[kind] in words


def test_a_matrix_of_pairs_shows_each_pair_once(study: Study) -> None:
    figure = KINDS["pairs"].figure(Wanted([study]))
    front = study.front()
    drawn = [trace for trace in figure.data if trace.name == "Pareto front"]
    assert len(drawn) == 3, "of three objectives"
    assert list(drawn[0].x) == pytest.approx([100 * point.values["accuracy"] for point in front])
    assert list(drawn[0].y) == pytest.approx([1e6 * point.values["latency"] for point in front])
    titles = {axis.title.text for axis in figure.select_xaxes() if axis.title.text}
    assert titles == {"accuracy [%] ↑", "latency [µs] ↓"}
    assert {axis.title.text for axis in figure.select_yaxes() if axis.title.text} == {"latency [µs] ↓", "area [mm²] ↓"}
    (dominated, *_) = [trace for trace in figure.data if trace.name == "dominated"]
    assert len(dominated.x) == int(study.results.feasible().sum())
    of_two = KINDS["pairs"].figure(Wanted([study], Query(objectives=["accuracy", "power:min"])))
    assert len(of_two.data) == 2
    assert len(KINDS["pairs"].figure(Wanted([study], Query(objectives=["area"]))).data) == 2


def test_parallel_axes_have_the_better_side_up(study: Study) -> None:
    (lines,) = KINDS["parallel"].figure(Wanted([study])).data
    axes = {axis.label: axis for axis in lines.dimensions}
    assert list(axes) == [
        "accuracy [%] ↑", "latency [µs] ↓", "area [mm²] ↓", "reram layers", "gpu layers", "crossbar size", "cell bits",
        "bn: how many",
    ]  # fmt: skip
    assert axes["accuracy [%] ↑"].range[0] < axes["accuracy [%] ↑"].range[1]
    assert axes["latency [µs] ↓"].range[0] > axes["latency [µs] ↓"].range[1]
    front = study.front()
    assert list(axes["bn: how many"].values) == [sum(point.design["bn"]) for point in front]  # type: ignore[arg-type]  # bits
    size = axes["crossbar size"]
    shown = [size.ticktext[place] for place in size.values]
    assert [int(text.split("x")[0]) for text in shown] == [point.design["crossbar_size"] for point in front]


def test_placements_show_how_often_each_layer_keeps_its_own(study: Study) -> None:
    found, front = placements(study.front()), study.front()
    assert found.layers == tuple(f"C{number}" for number in range(1, 9))
    kept = np.array([list(point.design["bn"]) for point in front])  # type: ignore[arg-type]  # bits
    assert np.allclose(found.share, kept.mean(axis=0))
    assert found.designs.sum() == len(front)
    assert len(found.kept) == len({tuple(row) for row in kept.tolist()})
    assert list(found.value) == sorted(found.value, reverse=True), "the best accuracy on top"
    with pytest.raises(InputError, match="is none of the vectors of bits: bn"):
        placements(study.front(), "nb")


def test_lengths_of_trainings_are_shown_by_who_proposed_them(study: Study) -> None:
    figure = KINDS["fidelity"].figure(Wanted([study]))
    assert sum(len(trace.x) for trace in figure.data) == len(study.evaluations)
    assert all(y == 12 for trace in figure.data for y in trace.y)
    assert max(x for trace in figure.data for x in trace.x) == sum(e.cost for e in study.evaluations)


def test_what_each_strategy_added_makes_up_the_whole(study: Study, tmp_path: Path) -> None:
    rows = [replace(row, strategy=f"s{place % 3}") for place, row in enumerate(study.evaluations)]
    other = rewritten(study, tmp_path, rows)
    figure = KINDS["found"].figure(Wanted([other]))
    assert [line.name for line in figure.data] == ["s0", "s1", "s2"]
    last = trace(other, box([other])).hypervolume[-1]
    assert sum(line.y[-1] for line in figure.data) == pytest.approx(last)


def curve(name: str, cost: list[float], hypervolume: list[float]) -> Trace:
    best = np.array([[value, 1e-6 / value, 100.0] for value in hypervolume])
    return Trace(name, np.array(cost), 3600 * np.array(cost), np.array(hypervolume), best)


def test_convergence_is_the_median_of_seeds_as_far_as_all_of_them_go() -> None:
    outline = family_problem().outline
    some = [
        curve("a", [1, 4, 6], [0.1, 0.4, 0.6]),
        curve("b", [2, 3, 9], [0.2, 0.5, 0.9]),
        curve("c", [1, 8], [0.3, 0.5]),
    ]
    panels = convergence_panels(outline, {"x": some}, "cost")
    assert len(panels) == 4
    (band,) = panels[0].bands
    assert list(band.x) == [2, 3, 4, 6], "where all of them have begun, to the end of the first to end"
    assert list(band.middle) == [0.2, 0.3, 0.4, 0.5]
    assert list(band.low) == [0.1, 0.1, 0.3, 0.3]
    assert list(band.high) == [0.3, 0.5, 0.5, 0.6]
    hours = convergence_panels(outline, {"x": some}, "time")[0].bands[0]
    assert list(hours.x) == list(band.x)
    nothing = Trace("n", np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((0, 3)))
    (alone,) = convergence_panels(outline, {"x": [nothing]}, "cost")[0].bands
    assert len(alone.x) == 0


def test_several_studies_are_overlaid_and_seeds_are_areas(seeds: list[Study]) -> None:
    figure = KINDS["convergence"].figure(Wanted(seeds))
    named = {trace.name for trace in figure.data if trace.name}
    assert named == {"random (3 studies)"}
    assert sum(trace.fill == "toself" for trace in figure.data) == 4
    figure = KINDS["attainment"].figure(Wanted(seeds))
    assert [trace.name for trace in figure.data if trace.name] == ["random (median of 3)"]
    with pytest.raises(InputError, match="this picture is of one study, here are 3"):
        KINDS["pairs"].figure(Wanted(seeds))


def attained(fronts: list[Any], point: Any) -> int:
    """By how many fronts a point is attained: accuracy to be large, latency small."""
    return sum(any(row[0] >= point[0] and row[1] <= point[1] for row in front.tolist()) for front in fronts)


def test_attainment_surfaces_divide_what_so_many_attain_from_what_they_do_not() -> None:
    objectives = family_problem().objectives[:2]
    rng = np.random.default_rng(0)
    fronts = [rng.random((6, 2)) for _ in range(5)]
    for share, least in ((0, 1), (50, 3), (100, 5)):
        (surface,) = attainment_surfaces(fronts, objectives, [share])
        corners = surface.corners
        assert len(corners) > 2
        for point in rng.random((200, 2)):
            weakly = [c for c in corners.tolist() if c[0] >= point[0] and c[1] <= point[1]]
            assert bool(weakly) == (attained(fronts, point) >= least)
    nothing = attainment_surfaces([np.empty((0, 2))], objectives)
    assert all(len(surface.corners) == 0 for surface in nothing)


def test_attainment_of_three_objectives_is_refused(study: Study) -> None:
    with pytest.raises(InputError, match="attainment is of two objectives: name them"):
        KINDS["attainment"].figure(Wanted([study], Query(objectives=["accuracy", "latency", "area"])))


def test_the_parts_of_a_design_make_up_what_its_simulator_says_of_it(study: Study) -> None:
    points = list(study.front())[:3]
    found = breakdowns(study, [point.design for point in points])
    by = {(one.quantity, one.by): one for one in found}
    assert {one.simulator for one in found} == {"deeptrain"}
    energy = by["energy", "component"]
    assert np.allclose(energy.values.sum(axis=1), [point.quantities["energy_j"] for point in points])
    area = by["area", "component"]
    assert np.allclose(area.values.sum(axis=1), [point.values["area"] for point in points])
    assert energy.unit == "J"
    assert area.unit == "mm2"
    assert by["conv stage time", "layer"].values.shape == (3, len(by["conv stage time", "layer"].parts))
    labels = [point.label for point in points]
    figure = breakdown_figure(found, labels)
    assert len(list(figure.select_xaxes())) == len(found)
    told = {bar.name.replace("<br>", " ") for bar in figure.data}
    assert told >= set(labels)


def test_a_breakdown_is_of_the_designs_that_are_named(study: Study) -> None:
    figure = KINDS["breakdown"].figure(Wanted([study], designs=[1, "bn=none"]))
    named = {bar.name.replace("<br>", " ") for bar in figure.data if bar.legendgroup == "designs"}
    assert named == {study.outline.space.describe(study.evaluations[place].design) for place in (0, 1)}
    with pytest.raises(InputError):
        KINDS["breakdown"].figure(Wanted([study], designs=[99]))


@pytest.mark.parametrize("kind", ["pairs", "parallel", "placements", "breakdown"])
def test_of_an_empty_front_it_is_told_why(study: Study, kind: str) -> None:
    with pytest.raises(InputError, match=r"the front is empty: of .* break area < 1 mm2"):
        KINDS[kind].figure(Wanted([study], Query("area < 1 mm2")))


def test_a_study_that_has_only_begun_has_empty_pictures_or_says_why(tmp_path: Path) -> None:
    begun = evaluated(tmp_path, changes=REPLAYED)
    for kind in ("convergence", "attainment", "fidelity", "found"):
        KINDS[kind].figure(Wanted([begun]))
    with pytest.raises(InputError, match="nothing finished yet"):
        KINDS["pairs"].figure(Wanted([begun]))
