"""Plug-ins are found by name, and missing ones are told apart."""

from importlib.metadata import EntryPoint

import pytest

from simulators.accelerators.deeptrain import DeepTrain
from simulators.protocol import (
    NETWORKS,
    InputError,
    also_known,
    discovery,
    find_plugin,
    load_simulator,
    nearest,
    plugin_names,
    plugins,
    suggestion,
)


def test_networks_and_simulators_are_registered():
    assert {"vgg11", "vgg16", "vgg19", "resnet18", "resnet20"} <= set(plugin_names(NETWORKS))
    assert load_simulator("deeptrain") is DeepTrain


def test_a_misspelt_name_suggests_the_right_one():
    with pytest.raises(InputError, match=r"unknown simulator 'deeptrian' \(did you mean 'deeptrain'\?\)"):
        load_simulator("deeptrian")


def test_a_name_far_from_all_lists_what_there_is():
    with pytest.raises(InputError, match=r"unknown network 'xyz'; known: .*vgg16"):
        find_plugin(NETWORKS, "xyz", "network")


@pytest.mark.parametrize("place", ["simulators.protocol:no_such_thing", "no_such_module:thing"])
def test_what_is_registered_and_not_there_is_one_message(monkeypatch, place):
    point = EntryPoint("lost", place, NETWORKS)
    monkeypatch.setattr(discovery, "_group", lambda _: {"lost": point})
    with pytest.raises(InputError, match=rf"network 'lost' \({place}\) cannot be imported"):
        find_plugin(NETWORKS, "lost", "network")


def test_names_that_are_equally_near_are_all_suggested():
    with pytest.raises(InputError, match=r"\(did you mean 'vgg11', 'vgg16' or 'vgg19'\?\)"):
        find_plugin(NETWORKS, "vgg12", "network")
    assert nearest("vgg1", ["vgg16", "vgg11", "resnet18"]) == ["vgg11", "vgg16"]
    assert nearest("xyz", ["vgg16"]) == []


def test_suggestions_are_empty_when_nothing_is_known():
    assert suggestion("word", []) == ""


def test_what_is_known_by_one_name_twice_is_told_once() -> None:
    assert suggestion("x", ["training", "hardware", "training"]) == "; known: hardware, training"


def test_names_of_another_process_are_taken_over_but_replace_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Ray's working directory brings has no metadata: there the driver's names are all that there are."""
    known = plugins()
    assert known[NETWORKS]["vgg11"].startswith("simulators.workloads.")
    monkeypatch.setattr(discovery, "entry_points", lambda **_: ())
    discovery._group.cache_clear()
    try:
        assert plugin_names(NETWORKS) == []
        also_known(known)
        assert plugins() == known
        also_known({NETWORKS: {"vgg11": "elsewhere:vgg11", "new": "elsewhere:new"}})
        assert plugins()[NETWORKS] == {**known[NETWORKS], "new": "elsewhere:new"}
    finally:
        discovery._group.cache_clear()
