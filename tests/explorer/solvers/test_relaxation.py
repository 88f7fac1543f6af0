from __future__ import annotations

import numpy as np
import pytest

from explorer.solvers.program import brute_force
from explorer.solvers.relaxation import relax
from tests.explorer.solvers.programs import groups, program


def test_both_solvers_agree_on_the_bound_without_constraints() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = program(rng, 18)
        sdp, low_rank = relax(found, rng, "sdp").bound, relax(found, rng, "low-rank").bound
        assert sdp == pytest.approx(low_rank, rel=0.01)


def test_the_bound_under_constraints_is_tighter_than_without() -> None:
    """The relaxation multiplies equalities with every spin; weak duality alone would hold with any multipliers."""
    gains = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = program(rng, 16, groups(16, 4))
        _, (optimum,) = brute_force(found)
        tight, loose = relax(found, rng, "sdp").bound, relax(found, rng, "low-rank").bound
        gains.append((tight - loose) / (optimum - loose))
    assert min(gains) > 0.5


def test_the_factor_is_a_point_of_the_relaxation() -> None:
    found = program(np.random.default_rng(2), 10)
    for solver in ("sdp", "low-rank"):
        factor = relax(found, np.random.default_rng(0), solver).factor  # type: ignore[arg-type]  # literals
        assert np.sum(factor**2, axis=1) == pytest.approx(np.ones(11), abs=5e-3)
        relaxed = np.sum(found.lifted() * (factor @ factor.T))
        assert relaxed == pytest.approx(relax(found, np.random.default_rng(0), solver).bound, rel=0.02)  # type: ignore[arg-type]  # literals
