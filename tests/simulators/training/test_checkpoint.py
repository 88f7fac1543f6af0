from __future__ import annotations

import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from simulators.protocol import Folder
from simulators.training.checkpoint import Checkpoint, Epoch, checkpoint_key, read_checkpoint, write_checkpoint
from simulators.training.tensors import read_tensors, tensor_file


def training(epochs: int, diverged: bool = False) -> Checkpoint:
    curve = tuple(Epoch(0.1 * number, 0.1, 2.0 / number, 1.5) for number in range(1, epochs + 1))
    state = {"network": {"weight": torch.arange(1000.0) * epochs}, "optimizer": {"param_groups": [{"lr": 0.1}]}}
    return Checkpoint(curve, diverged, state)


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_checkpoint(Folder(tmp_path), "key.pt", training(3))
    found = read_checkpoint(Folder(tmp_path), "key.pt")
    assert found is not None
    assert found.curve == training(3).curve
    assert torch.equal(found.state["network"]["weight"], training(3).state["network"]["weight"])
    assert found.state["optimizer"] == {"param_groups": [{"lr": 0.1}]}


def test_a_checkpoint_says_what_machine_it_is_of_and_older_ones_say_none(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    write_checkpoint(folder, "new.pt", replace(training(1), machine="cpu (AVX2), torch 2.9"))
    stored = read_tensors((tmp_path / "new.pt").read_bytes())
    (tmp_path / "old.pt").write_bytes(tensor_file({name: stored[name] for name in ("curve", "diverged", "state")}))
    found, older = read_checkpoint(folder, "new.pt"), read_checkpoint(folder, "old.pt")
    assert found is not None
    assert older is not None
    assert (found.machine, older.machine) == ("cpu (AVX2), torch 2.9", "")
    assert older.curve == found.curve


def test_results_after_some_epochs_are_of_the_state_that_ends_there(tmp_path: Path) -> None:
    assert [training(3).ends_at(epochs) for epochs in (2, 3, 4)] == [False, True, False]
    assert [training(3, diverged=True).ends_at(epochs) for epochs in (2, 3, 4)] == [False, True, True]


def test_the_file_keeps_the_most_epochs_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    for epochs in (2, 5, 3, 5):
        write_checkpoint(Folder(tmp_path), "key.pt", training(epochs))
    found = read_checkpoint(Folder(tmp_path), "key.pt")
    assert found is not None
    assert len(found.curve) == 5
    assert [file.name for file in tmp_path.iterdir()] == ["key.pt"]


def test_a_write_that_fails_leaves_the_file_there_and_nothing_beside_it(tmp_path: Path) -> None:
    write_checkpoint(Folder(tmp_path), "key.pt", training(2))
    code = Checkpoint(training(3).curve, False, {**training(3).state, "code": lambda: None})
    with pytest.raises((AttributeError, pickle.PicklingError)):
        write_checkpoint(Folder(tmp_path), "key.pt", code)
    found = read_checkpoint(Folder(tmp_path), "key.pt")
    assert found is not None
    assert len(found.curve) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["key.pt"]


def test_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    assert read_checkpoint(Folder(tmp_path), "key.pt") is None


def test_a_checkpoint_answers_what_it_has_seen_and_a_diverged_one_everything() -> None:
    assert training(3).answers(3)
    assert not training(3).answers(4)
    assert training(1, diverged=True).answers(20)


def flipped(content: bytes) -> bytes:
    """One bit of a weight changed: the zip archive and the pickle in it stay readable."""
    at = content.index(torch.arange(1000.0).mul(3).numpy().tobytes()) + 1000
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda _: b"something else", lambda content: content[: len(content) // 2], flipped],
    ids=["empty", "other", "truncated", "one bit"],
)
def test_a_damaged_file_is_warned_about_counts_as_none_and_can_be_replaced(
    tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "key.pt"
    write_checkpoint(Folder(tmp_path), "key.pt", training(3))
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]  # a function of bytes
    with caplog.at_level(logging.WARNING):
        assert read_checkpoint(Folder(tmp_path), "key.pt") is None
    assert "key.pt is damaged" in caplog.text
    assert "starts afresh" in caplog.text
    write_checkpoint(Folder(tmp_path), "key.pt", training(1))
    assert read_checkpoint(Folder(tmp_path), "key.pt") is not None


def test_a_file_of_another_layout_counts_as_damaged(tmp_path: Path) -> None:
    torch.save({"weights": torch.ones(3)}, tmp_path / "key.pt")
    assert read_checkpoint(Folder(tmp_path), "key.pt") is None


class Code:
    """What a hostile file would hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("/nonexistent/never"),)  # type: ignore[return-value]  # hostile


def test_a_file_that_holds_code_is_not_run(tmp_path: Path) -> None:
    torch.save({"curve": [], "diverged": False, "state": Code()}, tmp_path / "key.pt")
    assert read_checkpoint(Folder(tmp_path), "key.pt") is None


def test_writers_of_one_key_and_readers_never_meet_half_a_file(tmp_path: Path) -> None:
    write_checkpoint(Folder(tmp_path), "key.pt", training(1))

    def write(first: int) -> None:
        for epochs in range(first, 30, 2):
            write_checkpoint(Folder(tmp_path), "key.pt", training(epochs))

    def read() -> list[int]:
        lengths = []
        for _ in range(60):
            found = read_checkpoint(Folder(tmp_path), "key.pt")
            assert found is not None
            assert torch.equal(found.state["network"]["weight"], torch.arange(1000.0) * len(found.curve))
            lengths.append(len(found.curve))
        return lengths

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, first) for first in (1, 2)]
        readers = [pool.submit(read) for _ in range(2)]
        for writer in writers:
            writer.result()
        for reader in readers:
            assert reader.result()
    assert [file.name for file in tmp_path.iterdir()] == ["key.pt"]


def test_keys_tell_trainings_apart_and_do_not_hang_on_the_order_of_words() -> None:
    assert checkpoint_key(bn="101", seed=1) == checkpoint_key(seed=1, bn="101")
    assert checkpoint_key(bn="101", seed=1) != checkpoint_key(bn="101", seed=2)
    assert checkpoint_key(recipe={"a": 1.0}) != checkpoint_key(recipe={"a": 1.5})
