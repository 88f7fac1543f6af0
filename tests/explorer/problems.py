"""Small problems whose every value is known, and random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.space import Space
from simulators.protocol import BinaryVector, Categorical, Design, Designs, Domain, Fidelity, Integer

SPACE = Space(
    {"bn": BinaryVector(3), "layers": Integer(1, 3), "size": Categorical([64, 128])},
    constraints=["layers + sum(bn) <= 5"],
)
"""48 designs, 46 of which are feasible."""


def accuracy(design: Design, fidelity: int = 20) -> float:
    bits = design["bn"]
    assert isinstance(bits, tuple)
    return 0.5 + 0.1 * bits[0] + 0.2 * bits[1] - 0.05 * bits[2] - 1.0 / (10 + fidelity)


def latency(designs: Designs) -> NDArray[np.float64]:
    bits = designs["bn"].sum(axis=1)
    return np.asarray(designs["size"] / 64 / designs["layers"] + 0.5 * bits)


def area(designs: Designs) -> NDArray[np.float64]:
    return np.asarray(designs["layers"] * (100.0 + designs["size"] / 8) + 0 * designs["bn"].sum(axis=1))


def family_problem(**changes: Any) -> Problem:
    """Accuracy is read from the bits alone: each training opens up a family."""
    options: dict[str, Any] = {
        "directions": {"accuracy": "maximize", "latency": "minimize", "area": "minimize"},
        "cheap": {"latency", "area"},
        "reads": {"accuracy": ["bn"]},
        "fidelity": Fidelity("epochs", 1, 20),
        "cost": float,
    }
    functions = changes.pop("functions", {"accuracy": accuracy, "latency": latency, "area": area})
    return Problem.from_functions(SPACE, functions, **{**options, **changes})


def all_designs(problem: Problem) -> list[Design]:
    """Every feasible design."""
    designs = problem.space.at(range(problem.space.size))
    return problem.space.unpack(designs.take(problem.known(designs).feasible))


def evaluate(problem: Problem, design: Design | Mapping[str, object], **how: Any) -> Evaluation:
    """A design evaluated, at full fidelity unless said otherwise."""
    how.setdefault("fidelity", problem.full_fidelity)
    found = design if isinstance(design, Design) else problem.space.design(design)
    return problem.evaluate(Proposal(found, **how))


domains: st.SearchStrategy[Domain] = st.one_of(
    st.integers(1, 4).map(BinaryVector),
    st.builds(
        lambda length, seed, count: BinaryVector(
            length, "C", tuple(dict.fromkeys(BinaryVector(length).value(row) for row in _bits(length, seed, count)))
        ),
        st.integers(1, 5), st.integers(0, 99), st.integers(1, 4),
    ),
    st.tuples(st.integers(-3, 3), st.integers(0, 4)).map(lambda ends: Integer(ends[0], ends[0] + ends[1])),
    st.lists(st.sampled_from([1, 2, 4, 0.5, 64, 128]), min_size=1, max_size=4, unique=True).map(Categorical),
    st.lists(st.sampled_from(["relu", "gelu", "64", "x y"]), min_size=1, max_size=3, unique=True).map(Categorical),
)  # fmt: skip


def _bits(length: int, seed: int, count: int) -> NDArray[Any]:
    return np.random.default_rng(seed).integers(0, 2, (count, length))


spaces = st.lists(domains, min_size=1, max_size=3).map(
    lambda found: Space({f"v{number}": domain for number, domain in enumerate(found)})
)
