"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "deeptrain", "--network", "vgg13"], "--network: unknown network 'vgg13'"),
        (["list", "variables", "--network", "vgg13"], "--network: unknown network 'vgg13'"),
        (["simulate", "deeptrain", "--dataset", "cifar"], "--dataset: unknown data set 'cifar'"),
        (["simulate", "deeptrain", "--option", "a=b"], "--option: vgg16 has no option 'a', only head: single or"),
        (["simulate", "deeptrain", "--set", "x=1"], "--set x: unknown variable 'x'"),
        (["simulate", "deeptrain", "--set", "reram_layers=9"], "--set reram_layers: '9' is not allowed"),
        (["simulate", "deeptrain", "--set", "frequency_hz=20 s"], "--set frequency_hz: '20 s' is a time, not a freq"),
        (["simulate", "deeptrain", "--set", "nonsense"], "--set: 'nonsense' is not KEY=VALUE"),
        (["simulate", "training", "--setting", "proxy.widht=1"], "--setting proxy.widht: there is no such field"),
        (["simulate", "training", "--dataset", "cifar10"], "--data-dir: no images of 'cifar10' are bundled"),
        (["simulate", "training", "--data-dir", "none"], "--data-dir: "),
        (["simulate", "training", "--dataset", "fashion-mnist", "--setting", "proxy.train_images=100000"],
         "--setting proxy.train_images: 100000: there are 6000"),
        (["simulate", "training", "--setting", "nonsense"], "--setting: 'nonsense' is not key=value"),
        (["simulate", "deeptrain", "--option", "head=single", "--option", "head=classic"],
         "--option head: it is given twice; keep one"),
        (["simulate", "deeptrain", "--setting", "link_time=counted", "--setting", "link_time=ignored"],
         "--setting link_time: it is given twice; keep one"),
        (["validate", "deeptrain", "--setting", "link_time=counted", "--setting", "link_time=counted"],
         "--setting link_time: it is given twice; keep one"),
        (["simulate", "training", "--setting", "data_dir=a", "--data-dir", "b"],
         "--setting data_dir: it is given twice; keep one"),
        (["simulate", "deeptrian"], "unknown simulator 'deeptrian'"),
    ],
)  # fmt: skip
def test_bad_input_is_told_by_the_option_that_gave_it(
    cli: Callable[..., Any], arguments: list[str], words: str
) -> None:
    ended = cli(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"rex: {words}")


def test_a_variable_is_set_and_listed_with_its_unit(cli: Callable[..., Any]) -> None:
    ended = cli("simulate", "deeptrain", "--set", "frequency_hz=20 MHz")
    assert ended.code == 0, ended.err
    assert "20 MHz" in ended.out
    assert "one of 5 MHz, 10 MHz, 20 MHz, 40 MHz" in cli("list", "variables").out.replace("\n", " ")
