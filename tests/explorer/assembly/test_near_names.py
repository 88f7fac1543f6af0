from __future__ import annotations

from pathlib import Path

from tests.explorer.assembly.mistakes import MISSPELT, mistakes_in, told
from tests.explorer.searches import write_search


def test_a_misspelt_name_that_can_mean_but_one_thing_is_taken_for_it_in_all_other_checks() -> None:
    fields, message = told(MISSPELT)
    assert fields == [
        "proxy.width",
        "simulators",
        "simulators.training.recipe.batch_size",
        "variables.reram_layer",
        "fidelity.epochs",
        "objectives.1",
        "constraints.0",
        "constraints.1",
        "strategy",
        "strategy.options.popsize",
        "initial.0.bn",
    ]
    assert "unknown simulator 'trainin' (did you mean 'training'?); the other checks go by that\n" in message
    assert "line 6: simulators.training.recipe.batch_size" in message
    assert "nsga2 has no such option" in message
    assert "not checked" not in message


def test_feasibility_too_is_looked_at_in_spite_of_a_misspelt_name(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("[deeptrain,", "[deeptrian,"), ("area < 400 mm2", "area < 1 mm2"))
    assert [field for _, field, _ in mistakes_in(path)] == ["simulators", "constraints"]


def test_what_a_network_of_several_possible_names_leaves_open_is_said_in_the_last_line() -> None:
    fields, message = told(
        MISSPELT.replace("vgg11", "vgg12")
        .replace("{bn: search, reram_layer: 3}", "{bn: [all, C3], cell_bits: 9}")
        .replace("[{bn: C99}]", "[{bn: all}, {bn: '10000101'}]")
    )
    assert fields[:2] == ["workload.network", "proxy.width"]
    assert "variables.cell_bits" in fields
    assert message.endswith("\n  not checked until workload.network is mended: initial.1.bn"), (
        "all and C3 are right for every network"
    )


def test_without_simulators_those_that_there_are_stand_in_for_them() -> None:
    text = MISSPELT.replace("simulators:\n  deeptrain:\n  trainin:\n    recipe: {batch_size: 0}\n", "")
    fields, message = told(text)
    assert {"simulators", "proxy.width", "variables.reram_layer", "fidelity.epochs", "initial.0.bn"} <= set(fields)
    assert "simulators: is missing; every search file needs it; the other checks go by [deeptrain, training]" in message
