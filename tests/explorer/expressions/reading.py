"""What tests of expressions share: reading them, and what errors say."""

from collections.abc import Callable
from typing import Any

import pytest

from explorer.expressions import Expression, ExpressionError, parse

UNITS = {
    "area": "mm2",
    "latency": "s",
    "energy": "J",
    "power": "W",
    "frequency": "Hz",
    "temperature": "K",
    "ambient": "K",
    "accuracy": "fraction",
    "reram_layers": "",
    "gpu_layers": "layers",
    "cell_bits": "bit",
    "technology": "nm",
    "cell": "",
    "bn": "",
}


def value(text: str, **values: Any) -> Any:
    return parse(text).evaluate(values)


def message(text: str, act: Callable[[Expression], object] = str) -> str:
    """What the error says that is raised by reading ``text`` or by ``act``."""
    with pytest.raises(ExpressionError) as caught:
        act(parse(text))
    return str(caught.value)


def check_message(text: str) -> str:
    return message(text, lambda expression: expression.check(UNITS, {"bn": 8}))
