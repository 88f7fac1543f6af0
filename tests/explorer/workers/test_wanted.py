from __future__ import annotations

import pytest

from explorer import Workers


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
