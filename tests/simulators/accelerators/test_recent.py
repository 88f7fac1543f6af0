from __future__ import annotations

import pickle

from simulators.accelerators.recent import Recent


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    computed: list[str] = []

    def ask(recent: Recent[str], key: str) -> str:
        def compute() -> str:
            computed.append(key)
            return key.upper()

        return recent.get(key, compute)

    recent = Recent[str](2)
    assert [ask(recent, key) for key in "abacab"] == list("ABACAB")
    assert computed == ["a", "b", "c", "b"]  # a was asked for again before c came, b was not
    assert len(recent) == 2


def test_nothing_is_kept_where_nothing_may_be() -> None:
    recent = Recent[int](0)
    assert [recent.get("x", lambda number=number: number) for number in (1, 2)] == [1, 2]
    assert len(recent) == 0


def test_a_copy_begins_with_none() -> None:
    recent = Recent[int](3)
    recent.get("x", lambda: 1)
    copy = pickle.loads(pickle.dumps(recent))  # noqa: S301  # our own bytes
    assert (len(copy), copy.most) == (0, 3)
