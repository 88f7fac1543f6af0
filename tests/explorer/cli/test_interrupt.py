from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest

from explorer.cli.interrupt import Interrupts


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Also where the suite runs in the background of a script, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Finaliser:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # that is what happens
def test_an_interrupt_that_came_inside_a_finaliser_is_raised_at_the_next_check() -> None:
    with Interrupts() as interrupts:
        interrupts.check()
        Finaliser()  # Python drops what is raised in there
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_an_interrupt_is_raised_where_it_comes_and_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with contextlib.suppress(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)
        pytest.fail("not interrupted")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_process_that_was_started_to_ignore_interrupts_goes_on_ignoring_them() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        interrupts.check()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
