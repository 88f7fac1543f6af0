"""Reports and validation cases read as their users rely on."""

import pickle

import numpy as np
import pytest

from simulators.protocol import Fidelity, InputError, LazyColumns, Report, ValidationCase

REPORT = Report(
    {"latency_s": np.array([1.0, 2.0]), "needed": np.array([5.0, 50.0]), "available": np.array([10.0, 10.0])},
    {"needs {needed:.0f}, has {available:.0f}": np.array([False, True])},
)


def test_totals_are_read_as_attributes():
    assert REPORT.latency_s.tolist() == [1.0, 2.0]
    assert REPORT.count == 2
    assert REPORT.row(1) == {"latency_s": 2.0, "needed": 50.0, "available": 10.0}


def test_an_unknown_field_suggests_the_one_meant():
    with pytest.raises(AttributeError, match="did you mean 'latency_s'"):
        _ = REPORT.latency


def test_reasons_carry_the_numbers_of_the_design():
    assert REPORT.feasible.tolist() == [True, False]
    assert REPORT.reason(0) == ""
    assert REPORT.reason(1) == "needs 50, has 10"


def test_reports_cross_processes():
    copy = pickle.loads(pickle.dumps(REPORT))  # noqa: S301  # our own bytes
    assert copy.latency_s.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("tier", "published", "modelled", "verdict"),
    [
        ("exact", 100.0, 100.9, "yes"),
        ("exact", 100.0, 101.1, "NO"),
        ("tight", 100.0, 109.0, "yes"),
        ("tight", 100.0, 111.0, "NO"),
        ("tight", None, 100.0, "NO"),
        ("band", None, 0.5, "yes"),
        ("band", None, 1.5, "NO"),
        ("calibrated", 1.0, 1.0, "input"),
        ("known mismatch", 1.0, 9.0, "mismatch"),
        ("known mismatch", None, 0.5, "yes"),
    ],
)
def test_a_case_holds_as_closely_as_its_tier_says_and_what_predicts_nothing_never_says_yes(
    tier, published, modelled, verdict
):
    case = ValidationCase("case", published, modelled, "", tier, "somewhere", low=0.0, high=1.0)
    assert case.verdict == verdict
    assert case.holds is (verdict != "NO")


def test_a_band_without_limits_accepts_nothing():
    assert ValidationCase("case", None, 1.0, "", "band", "somewhere").verdict == "NO"


@pytest.mark.parametrize("value", [0, 21, 2.5, "3", True])
def test_a_fidelity_outside_its_range_is_refused(value):
    with pytest.raises(InputError, match="1 to 20"):
        Fidelity("epochs", 1, 20).parse(value)


def test_errors_carry_their_field_across_processes():
    error = InputError("wrong", "a").under("b")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert (str(copy), copy.field) == ("b.a: wrong", "b.a")


def test_what_costs_more_is_computed_when_it_is_first_read_and_once():
    calls = []

    def later():
        calls.append(1)
        return np.array([7.0, 8.0])

    report = Report(
        LazyColumns(["latency_s", "link_s"], lambda name: later() if name == "link_s" else np.array([1.0, 2.0])),
        {"too slow: {latency_s:.0f} s": np.array([False, True])},
    )
    assert report.reason(1) == "too slow: 2 s"
    assert report.latency_s.tolist() == [1.0, 2.0]
    assert set(report.totals) == {"latency_s", "link_s"}
    assert len(report.totals) == 2
    assert "link_s" in report.totals
    assert report.count == 2
    assert not calls
    assert report.link_s.tolist() == [7.0, 8.0]
    assert report.row(1) == {"latency_s": 2.0, "link_s": 8.0}
    assert len(calls) == 1
    with pytest.raises(AttributeError, match="did you mean 'link_s'"):
        _ = report.links


def test_reports_that_cross_processes_are_complete():
    lazy = LazyColumns(["latency_s", "link_s"], lambda name: np.array([7.0 if name == "link_s" else 1.0]))
    copy = pickle.loads(pickle.dumps(Report(lazy)))  # noqa: S301  # our own bytes
    assert copy.row() == {"latency_s": 1.0, "link_s": 7.0}
