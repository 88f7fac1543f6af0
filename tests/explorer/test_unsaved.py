from __future__ import annotations

from collections.abc import Sequence

import pytest

from explorer import Design
from explorer.evaluation import Evaluation
from explorer.store import StoreError
from explorer.unsaved import PAUSE_S, Unsaved


class Store:
    """A store that is away, or full."""

    def __init__(self) -> None:
        self.error: StoreError | None = None
        self.rows: list[Evaluation] = []
        self.asked = 0

    def write(self, evaluations: Sequence[Evaluation]) -> None:
        self.asked += 1
        if self.error:
            raise self.error
        self.rows += evaluations


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def evaluation(x: int) -> Evaluation:
    return Evaluation(Design({"x": x}), "")


AWAY = StoreError("cannot write the store: connection refused", "store", passing=True)
FULL = StoreError("cannot write the store: database or disk is full", "store", passing=False)


def test_what_finishes_during_an_outage_is_written_afterwards_in_order(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = Store(), Clock()
    unsaved = Unsaved(store.write, 60.0, clock)
    unsaved.save([evaluation(0)])
    store.error = AWAY
    for x in range(1, 31):
        unsaved.save([evaluation(x)])
        clock.now_s += 2.0
    assert len(unsaved) == 30
    assert "the search goes on, and results wait" in caplog.text
    store.error = None
    unsaved.save([])
    assert [row.design["x"] for row in store.rows] == list(range(31))
    assert len(unsaved) == 0
    assert "30 evaluations that waited are written" in caplog.text


def test_a_store_that_is_away_is_not_asked_for_every_result() -> None:
    store, clock = Store(), Clock()
    store.error = AWAY
    unsaved = Unsaved(store.write, 60.0, clock)
    for x in range(10):
        unsaved.save([evaluation(x)])
    assert store.asked == 1
    clock.now_s += PAUSE_S
    unsaved.save([])
    assert store.asked == 2


def test_a_store_that_stays_away_ends_the_search_and_says_what_is_lost() -> None:
    store, clock = Store(), Clock()
    store.error = AWAY
    unsaved = Unsaved(store.write, 60.0, clock)
    unsaved.save([evaluation(0)])
    clock.now_s += 61.0
    with pytest.raises(StoreError, match="refused; 2 finished evaluations could not be written and will be done again"):
        unsaved.save([evaluation(1)])


def test_a_full_disk_ends_the_search_at_once() -> None:
    store = Store()
    store.error = FULL
    with pytest.raises(StoreError, match="disk is full; 1 finished"):
        Unsaved(store.write).save([evaluation(0)])


def test_the_end_waits_for_the_store_for_as_long_as_it_may() -> None:
    store = Store()
    unsaved = Unsaved(store.write)
    store.error = AWAY
    unsaved.save([evaluation(0)])
    with pytest.raises(StoreError, match="refused; 1 finished"):
        unsaved.flush(0.0)
    store.error = None
    unsaved.flush(0.0)
    assert len(store.rows) == 1
