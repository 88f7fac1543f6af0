from __future__ import annotations

import pytest

from explorer.assumptions import with_plain_assumptions
from tests.explorer.simulators import DeepTrain


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("ambient_k", "20 C", 293.15),
        ("gpu_layer_power_w", "9500 mW", 9.5),
        ("card_utilisation", "30 %", 0.3),
        ("ambient_k", "20 s", "20 s"),
        ("gpu_energy_per_lane_instruction_j", "40e-12", "40e-12"),
        ("ambient_k", 300, 300),
        ("unknown", "20 C", "20 C"),
    ],
)
def test_quantities_are_numbers_in_the_unit_of_their_assumption(name: str, written: object, value: object) -> None:
    settings = {"batch_size": 8, "assumptions": {name: written}}
    assert with_plain_assumptions(DeepTrain, settings) == {"batch_size": 8, "assumptions": {name: value}}
    assert with_plain_assumptions(DeepTrain, {"assumptions": 3}) == {"assumptions": 3}


def test_a_search_file_and_the_command_line_read_them() -> None:
    from pathlib import Path

    from explorer.assembly import assemble_source
    from explorer.cli.simulator import configured
    from explorer.yaml_source import read_yaml
    from tests.explorer.searches import SEARCH

    text = SEARCH.replace("[deeptrain, training]", "{deeptrain: {assumptions: {ambient_k: 20 C}}, training: {}}")
    problem = assemble_source(read_yaml(text, "search.yaml"), Path(), check_run=False).problem
    for simulator in (problem.simulators["deeptrain"], configured("deeptrain", ["assumptions.ambient_k=20 C"])):
        assert simulator.in_force()["ambient_k"] == 293.15
