from __future__ import annotations

import re
from math import inf
from pathlib import Path
from typing import Any

import pytest

from explorer import InputError, Workers
from explorer.spec import SearchSpec, parse_spec
from explorer.yaml_source import Source


def spec_of(workers: dict[str, Any]) -> SearchSpec:
    """A search file that asks for these workers."""
    data = {"workload": {"network": "vgg11"}, "simulators": {"deeptrain": {}}, "objectives": ["latency"],
            "strategy": "random", "budget": {"evaluations": 1}, "workers": workers}  # fmt: skip
    return parse_spec(Source(data, "search.yaml"))


@pytest.mark.parametrize(
    ("workers", "node", "room"),
    [
        (Workers(), {"CPU": 4.0}, 4), (Workers(), {"CPU": 0.5}, 0), (Workers(), {}, 0),
        (Workers(cpus=3.0), {"CPU": 8.0}, 2),
        (Workers(cpus=0.1), {"CPU": 1.0}, 10),  # 9.999... in floating point
        (Workers(gpus=0.25), {"CPU": 16.0, "GPU": 2.0}, 8), (Workers(gpus=0.25), {"CPU": 2.0, "GPU": 2.0}, 2),
        (Workers(memory_bytes=2**30), {"CPU": 16.0, "memory": 3.5 * 2**30}, 3),
        (Workers(resources={"fast_disk": 1}), {"CPU": 4.0}, 0),
        (Workers(resources={"fast_disk": 1}), {"CPU": 4.0, "fast_disk": 2.0}, 2),
    ],
)  # fmt: skip
def test_a_node_has_room_for_as_many_workers_as_its_scarcest_resource(
    workers: Workers, node: dict[str, float], room: int
) -> None:
    assert workers.room_on(node) == room


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"gpus": 1.5}, "gpus is 1.5; give a part of one, or a whole number of them"),
        ({"gpus": -1.0}, "gpus is -1; give a part of one"), ({"gpus": 1e-6}, "gpus is 1e-06; give a part"),
        ({"cpus": 0.0}, "cpus is 0; give at least 0.0001"), ({"cpus": inf}, "cpus is inf; give at least"),
        ({"resources": {"fast_disk": 0.0}}, "fast_disk is 0; give at least 0.0001"),
        ({"resources": {"GPU": 1.0}}, "resources holds GPU; write cpus, gpus and memory instead"),
        ({"count": 0}, "count is 0; give a whole number from 1 up, or None"), ({"attempts": 0}, "attempts is 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)) as error:
        Workers(**fields)
    assert error.value.field == "workers"
    if told.startswith(("gpus is 1.5", "resources holds")):  # what the search file's own limits let through
        with pytest.raises(InputError, match=re.escape(f"workers: {told}")):
            spec_of(fields)


def test_a_search_file_says_what_its_workers_need(tmp_path: Path) -> None:
    spec = spec_of({
        "count": "all", "gpus": 0.25, "memory": "4 GiB", "deadline_s": "2 h", "patience_s": 900.0,
        "working_dir": "code", "resources": {"fast_disk": 1.0}, "attempts": 5,
    })  # fmt: skip
    assert spec.workers.wanted(tmp_path) == Workers(
        None, 1.0, 0.25, 4 * 2**30, {"fast_disk": 1.0}, 5, 7200.0, 900.0, str(tmp_path / "code")
    )
    assert spec.workers.wanted(tmp_path, 3).count == 3
    assert Workers().working_dir is None
    far = spec_of({"working_dir": "s3://bucket/code.zip"})
    assert far.workers.wanted(tmp_path).working_dir == "s3://bucket/code.zip"
