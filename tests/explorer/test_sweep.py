from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer.space import Space
from explorer.sweep import Axis, Sweep, read_axis, shown_fields, sweep
from explorer.sweep_plots import LINES, sweep_figure
from explorer.sweep_tables import sweep_rows
from simulators.protocol import BinaryVector, Bits, Categorical, InputError, Integer, Variable
from tests.explorer.simulators import WORKLOAD, Counting, DeepTrain

SPACE = Space(
    [
        Variable("layers", Integer(1, 9), 3),
        Variable("rate_hz", Categorical([5e6, 10e6, 20e6, 40e6]), 5e6, "Hz"),
        Variable("kind", Categorical(["small", "large"]), "small"),
        Variable("bn", BinaryVector(8, "C"), Bits([1] * 8)),
        Variable("long", BinaryVector(20), Bits([1] * 20)),
    ]
)


@pytest.mark.parametrize(
    ("text", "values", "texts"),
    [
        ("layers", list(range(1, 10)), list("123456789")),
        ("layers=2:4", [2, 3, 4], ["2", "3", "4"]),
        ("layers = 7, 2", [7, 2], ["7", "2"]),
        ("rate_hz=5e6,10 MHz", [5e6, 10e6], ["5 MHz", "10 MHz"]),
        ("rate_hz=6 MHz:20 MHz", [10e6, 20e6], ["10 MHz", "20 MHz"]),
        ("kind", ["small", "large"], ["small", "large"]),
        ("bn=all;none;C5,C7", [Bits([1] * 8), Bits([0] * 8), Bits("00001010")], ["all", "none", "C5 C7"]),
    ],
)
def test_values_are_read_as_they_are_written(text: str, values: list[Any], texts: list[str]) -> None:
    axis = read_axis(SPACE, text)
    assert list(axis.values) == values
    assert axis.texts == texts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("layer", "did you mean 'layers'?"),
        ("layers=12", "choose an integer from 1 to 9"),
        ("layers=", "name at least one value"),
        ("layers=3,3", "named twice"),
        ("layers=4:2", "nothing is from 4 to 2"),
        ("layers=0:2", "0 to 2 goes beyond what there is; choose an integer from 1 to 9"),
        ("layers=8:500", "8 to 500 goes beyond"),
        ("rate_hz=6 MHz:50 MHz", "6 MHz to 50 MHz goes beyond what there is; choose one of 5 MHz"),
        ("kind=a:b", "'a' is no number"),
        ("rate_hz=5 s:10 s", "is a time"),
        ("long", "1,048,576 values; name some: long=all;none;every:2"),
        ("bn=C9", "there is no C9"),
    ],
)
def test_values_that_there_are_not_are_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        read_axis(SPACE, text)
    assert words in raised.value.message
    assert raised.value.field == text


def swept(*texts: str, fixed: dict[str, object] | None = None, simulator: Any = None) -> Sweep:
    simulator = simulator or Counting()
    space = Space(simulator.variables(WORKLOAD))
    fields = shown_fields(simulator)
    return sweep(simulator, WORKLOAD, fixed or {}, [read_axis(space, text) for text in texts], fields)


def test_one_variable_moves_and_the_others_stay() -> None:
    found = swept("tiles", fixed={"size": 128})
    assert found.values["area_mm2"].tolist() == [128, 256, 384, 512]
    assert found.feasible.tolist() == [True, True, True, False]
    assert found.fixed_text == "size=128"
    (rows,) = sweep_rows(found, "title", "a network")
    assert rows.columns == ("tiles", "latency [ns]", "area [mm²]", "can be built")
    assert [row[-1] for row in rows.rows] == ["yes", "yes", "yes", "no (1)"]
    assert rows.notes == ("a network", "fixed: size=128", "no (1): cannot be built, 512 mm2 do not fit")


def test_two_variables_make_a_table_for_each_field() -> None:
    found = swept("tiles=2:4", "size")
    assert found.values["area_mm2"].tolist() == [[128, 256], [192, 384], [256, 512]]
    latency, area = sweep_rows(found, "title", "a network")
    assert latency.title == "title: latency [ns]"
    assert area.columns == ("tiles \\ size", "64", "128")
    assert area.rows[2] == ("4", "256", "no (1)")
    assert not latency.notes
    assert area.notes[-1].endswith("512 mm2 do not fit")


def test_a_sweep_says_what_the_simulator_says_of_each_design() -> None:
    simulator = DeepTrain()
    found = swept("bn=all;none;C5,C7", "gpu_layers=1:3", fixed={"reram_layers": 2}, simulator=simulator)
    space = Space(simulator.variables(WORKLOAD))
    for record in found.records():
        design = space.design({"bn": record["bn"], "gpu_layers": record["gpu_layers"], "reram_layers": 2})
        report = simulator.simulate(space.designs([design]), WORKLOAD)
        assert {name: record[name] for name in found.fields} == {name: report.row()[name] for name in found.fields}
        assert record["feasible"] == report.feasible[0]


def test_what_objectives_read_is_shown_unless_fields_are_named() -> None:
    assert shown_fields(DeepTrain()) == ("latency_s", "energy_j", "area_mm2")
    assert shown_fields(Counting(), ["area_mm2", "area_mm2", "area"]) == ("area_mm2",)
    with pytest.raises(InputError, match="did you mean 'area_mm2'"):
        shown_fields(Counting(), ["area_mm"])


@pytest.mark.parametrize(
    ("axes", "fixed", "words"),
    [
        ([], {}, "name one variable, or two"),
        (["tiles", "tiles=1"], {}, "two different ones"),
        (["tiles"], {"tiles": 1}, "is swept over"),
        (["tiles"], {"size": 3}, "size"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(axes: list[str], fixed: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        swept(*axes, fixed=fixed)


def test_a_plot_has_a_panel_for_each_field_with_its_unit_and_crosses_where_nothing_can_be_built() -> None:
    figure = sweep_figure(swept("tiles", fixed={"size": 128}))
    assert [figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text] == ["latency [ns]", "area [mm²]"]
    assert figure.layout.xaxis2.title.text == "tiles"
    crosses = [trace for trace in figure.data if trace.name == "cannot be built"]
    assert [list(trace.x) for trace in crosses] == [[4.0], [4.0]]
    assert "512 mm2 do not fit" in crosses[0].text[0]
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert np.isnan(lines[1].y[3])
    assert list(lines[1].y[:3]) == [128, 256, 384]


def test_a_second_variable_is_lines_while_they_are_few_and_a_heat_map_then() -> None:
    few = sweep_figure(swept("tiles", "size"))
    assert [trace.name for trace in few.data if trace.mode == "lines+markers"][:2] == ["size = 64", "size = 128"]
    many = swept("bn=all;none", f"reram_layers=1:{LINES + 1}", simulator=DeepTrain())
    assert {trace.type for trace in sweep_figure(many).data} <= {"heatmap", "scatter"}
    assert sum(trace.type == "heatmap" for trace in sweep_figure(many).data) == len(many.fields)


def test_numbers_that_double_stand_on_a_logarithmic_axis_and_words_side_by_side() -> None:
    figure = sweep_figure(swept("crossbar_size", simulator=DeepTrain()))
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["32", "64", "128", "256", "512"]
    assert sweep_figure(swept("reram_layers", simulator=DeepTrain())).layout.xaxis.type == "linear"
    assert sweep_figure(swept("bn=all;none", simulator=DeepTrain())).layout.xaxis.type == "category"
    assert Axis(SPACE.variables["kind"], ("small",)).numbers is None


@pytest.mark.parametrize(("largest", "logarithmic"), [(3.0, False), (1000.0, True)])
def test_where_values_span_decades_small_ones_are_told_apart_too(largest: float, logarithmic: bool) -> None:
    def spread(found: Sweep) -> Sweep:
        shape = found.feasible.shape
        values = {name: np.resize(np.array([1.0, 2.0, largest]), shape) for name in found.values}
        return replace(found, values=values, feasible=np.ones(shape, dtype=bool))

    lines = sweep_figure(spread(swept("tiles", "size")))
    assert (lines.layout.yaxis.type == "log") == logarithmic
    many = swept("bn=all;none", f"reram_layers=1:{LINES + 1}", simulator=DeepTrain())
    heat = next(trace for trace in sweep_figure(spread(many)).data if trace.type == "heatmap")
    assert np.nanmax(heat.z) == pytest.approx(np.log10(largest) if logarithmic else largest)
    assert (heat.colorbar.tickprefix == "10^") == logarithmic
    assert f"{largest:g}" in {text for row in heat.text for text in row}
