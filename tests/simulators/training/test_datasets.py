from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from simulators.protocol import InputError
from simulators.training.bundle import write_bundle
from simulators.training.datasets import BUNDLE, interleaved, load_images, read_bundle, read_idx


def idx(array: NDArray[np.uint8]) -> bytes:
    return b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def fashion_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fashion-MNIST's four files, some raw and some gzipped: 12 000 real images to train (some twice), 1000 to test."""
    folder = tmp_path_factory.mktemp("data")
    images, labels = read_bundle(BUNDLE)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(np.concatenate([images, images[:2000]])))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.concatenate([labels, labels[:2000]]))))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(images[:1000]))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels[:1000]))
    return folder


@pytest.fixture
def damaged(fashion_mnist: Path, tmp_path: Path) -> Path:
    """The same files, to be damaged."""
    for path in fashion_mnist.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_the_bundle_is_ten_thousand_different_images_in_three_balanced_parts() -> None:
    data = load_images("fashion-mnist", "bundled")
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [6000, 2000, 2000]
    for part in parts:
        assert part.images.shape == (len(part), 1, 32, 32)
        assert part.images.dtype == np.uint8
        assert np.bincount(part.labels).tolist() == [len(part) // 10] * 10
    every = np.concatenate([part.images for part in parts]).reshape(10_000, -1)
    assert len(np.unique(every, axis=0)) == 10_000


def test_images_are_padded_with_zeros_and_otherwise_untouched() -> None:
    data, (images, _) = load_images("fashion-mnist", "bundled"), read_bundle(BUNDLE)
    assert np.array_equal(data.train.images[:, 0, 2:-2, 2:-2], images[:6000])
    border = data.train.images.copy()
    border[:, :, 2:-2, 2:-2] = 0
    assert not border.any()


def test_images_are_read_once_per_process() -> None:
    assert load_images("fashion-mnist", "bundled") is load_images("fashion-mnist", "bundled")


def test_files_are_read_once_per_process_and_again_when_they_changed(damaged: Path) -> None:
    before = load_images("fashion-mnist", "full", damaged)
    assert load_images("fashion-mnist", "full", damaged) is before
    path = damaged / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx((np.arange(1000) % 10).astype(np.uint8)[::-1]))  # as long as before
    after = load_images("fashion-mnist", "full", damaged)
    assert after.test.labels.tolist() == (np.arange(1000) % 10)[::-1].tolist()
    assert after.checksum != before.checksum


def test_the_licence_lies_beside_the_images_and_names_its_owner() -> None:
    licence = (BUNDLE.parent / "LICENSE").read_text()
    assert "MIT License" in licence
    assert "Copyright (c) 2017 Zalando SE, https://tech.zalando.com" in licence


@given(arrays(np.uint8, st.integers(0, 60), elements=st.integers(0, 9)))
def test_interleaving_is_a_permutation_that_serves_classes_in_turn(labels: NDArray[np.uint8]) -> None:
    order = interleaved(labels)
    assert sorted(order) == list(range(len(labels)))
    counts = np.bincount(labels, minlength=10)
    for taken in range(len(labels) + 1):
        served = np.bincount(labels[order[:taken]], minlength=10)
        unfinished = served < counts  # only a class that ran out may lie behind the others
        assert not unfinished.any() or served.max() - served[unfinished].min() <= 1


def test_the_bundle_can_be_built_again_from_the_data_sets_own_files(tmp_path: Path) -> None:
    images, labels = read_bundle(BUNDLE)
    shuffled = np.random.default_rng(0).permutation(1000)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images[shuffled])))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels[shuffled])))
    write_bundle(tmp_path, tmp_path / "first.npz")
    write_bundle(tmp_path, tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    again, again_labels = read_bundle(tmp_path / "first.npz")
    assert {image.tobytes() for image in again} == {image.tobytes() for image in images[:1000]}
    assert np.array_equal(again_labels, np.tile(np.arange(10), 100))


def test_full_files_raw_or_gzipped_give_training_validation_and_test_images(fashion_mnist: Path) -> None:
    data = load_images("fashion-mnist", "full", fashion_mnist)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [2000, 10_000, 1000]
    assert np.bincount(data.validation.labels).tolist() == [1000] * 10
    images, labels = read_bundle(BUNDLE)
    assert np.array_equal(data.test.images[:, 0, 2:-2, 2:-2], images[:1000])
    assert np.array_equal(data.test.labels, labels[:1000])
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    trained = data.train.images[:, 0, 2:-2, 2:-2]
    assert [label_of[image.tobytes()] for image in trained] == data.train.labels.tolist()


def test_files_may_lie_in_a_subfolder_named_after_the_data_set(damaged: Path) -> None:
    (damaged / "fashion-mnist").mkdir()
    for path in list(damaged.glob("*ubyte*")):
        path.rename(damaged / "fashion-mnist" / path.name)
    assert len(load_images("fashion-mnist", "full", damaged).test) == 1000


def test_the_checksum_tells_images_apart(damaged: Path, fashion_mnist: Path) -> None:
    assert (
        load_images("fashion-mnist", "full", damaged).checksum
        == load_images("fashion-mnist", "full", fashion_mnist).checksum
    )
    path = damaged / "t10k-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[-400] ^= 1
    path.write_bytes(content)
    assert (
        load_images("fashion-mnist", "full", damaged).checksum
        != load_images("fashion-mnist", "full", fashion_mnist).checksum
    )


def test_cifar10_is_read_from_its_binary_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    records = rng.integers(0, 256, (11_000, 3073), dtype=np.uint8)
    records[:, 0] = np.arange(11_000) % 10
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for number in range(5):
        (folder / f"data_batch_{number + 1}.bin").write_bytes(records[number * 2200 : (number + 1) * 2200].tobytes())
    (folder / "test_batch.bin").write_bytes(records[:100].tobytes())
    data = load_images("cifar10", "full", tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1000, 10_000, 100]
    assert data.train.images.shape == (1000, 3, 32, 32)
    red, green, blue = records[:1000, 1:].reshape(1000, 3, 1024).transpose(1, 0, 2)
    for channel, plane in enumerate((red, green, blue)):
        assert np.array_equal(data.train.images[:, channel].reshape(1000, 1024), plane)
    (folder / "test_batch.bin").write_bytes(records[:100].tobytes()[:-1])
    with pytest.raises(InputError, match=r"test_batch\.bin is damaged: it holds 307299 bytes, not 1 label and 3072"):
        load_images("cifar10", "full", tmp_path)


def test_cifar100_is_read_with_its_fine_labels(tmp_path: Path) -> None:
    records = np.random.default_rng(0).integers(0, 256, (11_000, 3074), dtype=np.uint8)
    records[:, 0], records[:, 1] = np.arange(11_000) % 20, np.arange(11_000) % 100
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    (folder / "train.bin").write_bytes(records.tobytes())
    (folder / "test.bin").write_bytes(records[:200].tobytes())
    data = load_images("cifar100", "full", tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1000, 10_000, 200]
    assert np.array_equal(data.train.labels, np.arange(1000) % 100)
    assert np.array_equal(data.train.images[7].ravel(), records[7, 2:])


def test_a_data_set_with_other_classes_is_told_from_the_one_asked_for(tmp_path: Path) -> None:
    """CIFAR-100's file under CIFAR-10's name."""
    records = np.zeros((3073, 3074), dtype=np.uint8)
    records[:, 1] = np.arange(3073) % 100
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    with pytest.raises(InputError, match=r"data_batch_1\.bin is damaged: it has label .* where labels are below 10"):
        load_images("cifar10", "full", tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere' is not a folder") as caught:
        load_images("fashion-mnist", "full", tmp_path / "nowhere")
    assert caught.value.field == "data_dir"


def test_a_missing_file_is_named_with_the_places_where_it_may_lie(damaged: Path) -> None:
    (damaged / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError, match=r"holds no train-labels-idx1-ubyte .*fashion-mnist/"):
        load_images("fashion-mnist", "full", damaged)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("t10k-images-idx3-ubyte", lambda content: content[:-1], "holds 784015 bytes, its header says 784016"),
        ("t10k-images-idx3-ubyte", lambda content: content[:9], "holds 9 bytes, its header says"),
        ("t10k-images-idx3-ubyte", lambda _: b"", "starts with"),
        ("t10k-images-idx3-ubyte", lambda content: b"\x89PNG" + content[4:], "starts with 89504e47"),
        ("t10k-images-idx3-ubyte", lambda _: idx(np.zeros((5, 9, 9), np.uint8)), r"shape \(5, 9, 9\)"),
        ("t10k-labels-idx1-ubyte", lambda _: idx(np.zeros(999, np.uint8)), "label from 0 to 9 for each of 1000"),
        ("t10k-labels-idx1-ubyte", lambda _: idx(np.full(1000, 10, np.uint8)), "label from 0 to 9"),
        ("train-labels-idx1-ubyte.gz", lambda content: content[:-20], "cannot be decompressed"),
        ("train-labels-idx1-ubyte.gz", lambda _: b"not gzip", "cannot be decompressed"),
    ],
)
def test_a_damaged_file_is_named_with_its_damage(damaged: Path, name: str, change: object, words: str) -> None:
    path = damaged / name
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]  # a function of bytes
    with pytest.raises(InputError, match=words) as caught:
        load_images("fashion-mnist", "full", damaged)
    assert str(path) in caught.value.message
    assert caught.value.field == "data_dir"


@pytest.mark.parametrize("keep", [0, 100, 2_000_000])
def test_a_damaged_bundle_is_named(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "bundle.npz"
    path.write_bytes(BUNDLE.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"bundle\.npz are damaged"):
        read_bundle(path)
    with pytest.raises(InputError, match=r"other\.npz are missing"):
        read_bundle(tmp_path / "other.npz")


def test_data_sets_without_bundled_images_or_reader_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no images of 'cifar10' are bundled") as caught:
        load_images("cifar10", "bundled")
    assert caught.value.field == "data_dir"
    with pytest.raises(InputError, match="no reader for the images of 'imagenet'; choose fashion-mnist, cifar10"):
        load_images("imagenet", "full", tmp_path)


def test_too_few_training_images_to_split_are_refused(damaged: Path) -> None:
    images, labels = read_bundle(BUNDLE)
    (damaged / "train-images-idx3-ubyte").write_bytes(idx(images))
    (damaged / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(InputError, match="too few"):
        load_images("fashion-mnist", "full", damaged)


def test_an_idx_array_survives_the_way_there_and_back(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "array").write_bytes(idx(array))
    assert np.array_equal(read_idx(tmp_path / "array"), array)
