from __future__ import annotations

import numpy as np
import pytest

from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies.cheap_quadratics import cheap_quadratics
from explorer.strategies.encoding import BitEncoding
from simulators.protocol import BinaryVector, Designs, Integer


def problem(bits: int, seed: int = 0) -> tuple[Problem, np.ndarray]:
    """Latency is linear in the bits and shortest with most layers; area knows no bits."""
    weights = np.random.default_rng(seed).uniform(1, 3, bits)
    return Problem.from_functions(
        Space({"bn": BinaryVector(bits), "layers": Integer(1, 3)}),
        {
            "accuracy": lambda design: float(sum(design["bn"])),
            "latency": lambda designs: designs["bn"] @ weights + 6.0 / designs["layers"],
            "area": lambda designs: 2.0 * designs["layers"] + 0 * designs["bn"][:, 0],
        },
        directions={"accuracy": "maximize", "latency": "minimize", "area": "minimize"},
        cheap={"latency", "area"},
        reads={"accuracy": ["bn"]},
    ), weights


@pytest.mark.parametrize("bits", [6, 60])  # 60: 1830 coefficients are more than the families that are fitted to
def test_a_cheap_objective_is_fitted_in_the_direction_that_is_to_be_made_large(bits: int) -> None:
    of, weights = problem(bits)
    found = cheap_quadratics(of, BitEncoding(of.space, of.reads), np.random.default_rng(0))
    x = np.random.default_rng(1).integers(0, 2, (200, bits))
    truth = -(x @ weights)
    predicted = found["latency"](x)
    assert np.corrcoef(predicted, truth)[0, 1] > (0.999 if bits == 6 else 0.9)
    assert np.std(predicted) == pytest.approx(1.0, rel=0.3)  # standardised


def test_an_objective_that_does_not_depend_on_the_bits_moves_nothing() -> None:
    of, _ = problem(6)
    area = cheap_quadratics(of, BitEncoding(of.space, of.reads), np.random.default_rng(0))["area"]
    assert np.abs(area.linear).max() < 1e-9
    assert np.abs(area.pairs).max() < 1e-9


def test_without_cheap_objectives_there_is_nothing_to_fit() -> None:
    of = Problem.from_functions(
        Space({"bn": BinaryVector(4)}), {"y": lambda design: float(sum(design["bn"]))}, directions={"y": "maximize"}
    )
    assert cheap_quadratics(of, BitEncoding(of.space, of.reads), np.random.default_rng(0)) == {}


def test_it_asks_only_for_designs_of_the_space() -> None:
    seen: list[Designs] = []

    def latency(designs: Designs) -> np.ndarray:
        seen.append(designs)
        return np.asarray(designs["layers"] + designs["bn"].sum(axis=1))

    of = Problem.from_functions(
        Space({"bn": BinaryVector(5), "layers": Integer(1, 4)}, ["layers + sum(bn) <= 6"]),
        {"accuracy": lambda design: float(sum(design["bn"])), "latency": latency},
        directions={"accuracy": "maximize", "latency": "minimize"}, cheap={"latency"}, reads={"accuracy": ["bn"]},
    )  # fmt: skip
    found = cheap_quadratics(of, BitEncoding(of.space, of.reads), np.random.default_rng(0))
    assert np.isfinite(found["latency"].linear).all()
    assert all((designs["layers"] + designs["bn"].sum(axis=1) <= 6).all() for designs in seen)
