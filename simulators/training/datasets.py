"""Real images, as arrays of bytes: the bundled ones and full data sets in their standard files. Knows no torch."""

from __future__ import annotations

import gzip
import hashlib
import math
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulators.protocol import InputError
from simulators.workloads import dataset_shape

__all__ = ["BUNDLE", "ImageData", "Images", "interleaved", "load_images", "read_bundle", "read_idx"]

BUNDLE = Path(__file__).parent / "data" / "fashion_mnist_10k.npz"
BUNDLE_TRAIN, BUNDLE_VALIDATION = 6_000, 2_000
FULL_VALIDATION = 10_000
"""Images split off a complete training set to judge networks on while the test set is left alone."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Images:
    """Images with their labels.

    Args:
        images: bytes, shape (count, channels, size, size).
        labels: class numbers from 0, shape (count,).
    """

    images: Bytes
    labels: Bytes

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int | None) -> Images:
        """The first ``count`` images; None for all."""
        return Images(self.images[:count], self.labels[:count])


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set, split.

    Args:
        name: of the data set, in words.
        train: to learn from.
        validation: to judge designs by while searching.
        test: seen by no decision; reported only.
        checksum: SHA-256 over all arrays.
    """

    name: str
    train: Images
    validation: Images
    test: Images
    checksum: str


def load_images(dataset: str, source: Literal["bundled", "full"], data_dir: Path | None = None) -> ImageData:
    """The images of a data set, padded to the size that networks see; a process reads files again if they changed.

    Args:
        dataset: name of the data set (``workload.dataset``).
        source: the bundled images, or all images from files in ``data_dir``.
        data_dir: folder of data sets: the files lie in it or in its subfolder ``fashion-mnist`` or
            ``cifar-10-batches-bin`` or ``cifar-100-binary``, as their publishers name them.

    Raises:
        InputError: there are no such images, or a file is missing or damaged.
    """
    size = dataset_shape(dataset).size
    if source == "bundled":
        if dataset != "fashion-mnist":
            raise InputError(
                f"no images of '{dataset}' are bundled, only fashion-mnist's; set data_dir to the folder that has them",
                "data_dir",
            )
        return _load_bundle(size)
    if dataset not in _FORMATS:
        raise InputError(f"no reader for the images of '{dataset}'; choose {', '.join(_FORMATS)}", "workload.dataset")
    if data_dir is None or not data_dir.expanduser().is_dir():
        raise InputError(f"'{data_dir}' is not a folder; set it to the one that holds {dataset}", "data_dir")
    form = _FORMATS[dataset]
    try:
        files = tuple(_File.at(_find(data_dir.expanduser(), form.folder, name)) for name in form.files)
        return _load_files(form, files, size)
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror})", "data_dir") from None


@lru_cache(maxsize=1)
def _load_bundle(size: int) -> ImageData:
    images, labels = read_bundle(BUNDLE)
    train, rest = _split(images, labels, BUNDLE_TRAIN, size)
    validation, test = _split(rest.images, rest.labels, BUNDLE_VALIDATION, size)
    return ImageData("Fashion-MNIST, bundled", train, validation, test, _checksum(train, validation, test))


@lru_cache(maxsize=2)
def _load_files(form: _Format, files: tuple[_File, ...], size: int) -> ImageData:
    (images, labels), held_out = form.read([file.path for file in files])
    order = interleaved(labels)
    train, validation = _split(images[order], labels[order], len(labels) - FULL_VALIDATION, size)
    test, _ = _split(*held_out, len(held_out[1]), size)
    return ImageData(form.name, train, validation, test, _checksum(train, validation, test))


def interleaved(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """An order in which classes take turns: the first image of each class, the second of each class, ...

    It needs no random numbers, and any number of images taken from the front is balanced.

    Args:
        labels: class numbers, shape (count,).

    Returns:
        Indices, shape (count,).
    """
    turn = np.zeros(len(labels), dtype=np.intp)
    for label in np.unique(labels):
        members = labels == label
        turn[members] = np.arange(np.count_nonzero(members))
    return np.lexsort((labels, turn))


def read_bundle(path: Path) -> tuple[Bytes, Bytes]:
    """Images, shape (count, 28, 28), and labels of a bundle written by :mod:`simulators.training.bundle`.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["images"], arrays["labels"]
    except FileNotFoundError:
        raise InputError(f"the bundled images {path} are missing; install the package again", "proxy.data") from None
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        message = f"the bundled images {path} are damaged ({error}); install the package again"
        raise InputError(message, "proxy.data") from error


def read_idx(path: Path) -> Bytes:
    """An array of bytes from an idx file, raw or gzipped (layout: LeCun's MNIST page; big-endian header).

    Raises:
        InputError: the file is no idx file of bytes, or shorter or longer than its header says.
    """
    content = _content(path)
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise _damaged(path, f"starts with {content[:4].hex()}, an idx file of bytes with 000008")
    dimensions = content[3]
    header = 4 + 4 * dimensions
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, header, 4))
    expected = header + math.prod(shape)
    if len(content) != expected:
        raise _damaged(path, f"holds {len(content)} bytes, its header says {expected}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


@dataclass(frozen=True)
class _File:
    """A file as it was at one time: written anew, it is another."""

    path: Path
    size: int
    changed_ns: int

    @classmethod
    def at(cls, path: Path) -> _File:
        status = path.stat()
        return cls(path, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class _Format:
    """A data set in its standard files.

    Args:
        name: of the data set, in words.
        folder: below the data folder, in which the files may lie.
        files: their names, which may end in ``.gz`` too.
        read: from the paths of the files, in this order, to images and labels: those for training, those held out.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    read: Callable[[Sequence[Path]], tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]]


def _read_fashion_mnist(paths: Sequence[Path]) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    def read(image_path: Path, label_path: Path) -> tuple[Bytes, Bytes]:
        images, labels = read_idx(image_path), read_idx(label_path)
        if images.ndim != 3 or images.shape[1:] != (28, 28):
            raise _damaged(image_path, f"holds an array of shape {images.shape}, not images of 28 x 28")
        if labels.shape != (len(images),) or labels.max(initial=0) > 9:
            raise _damaged(label_path, f"holds no label from 0 to 9 for each of {len(images)} images")
        return images, labels

    return read(*paths[:2]), read(*paths[2:])


def _read_cifar10(paths: Sequence[Path]) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """The binary version: per image a label and 1024 bytes each of red, green and blue."""
    return _read_cifar(paths[:-1], 1, 10), _read_cifar(paths[-1:], 1, 10)


def _read_cifar100(paths: Sequence[Path]) -> tuple[tuple[Bytes, Bytes], tuple[Bytes, Bytes]]:
    """The binary version: per image the label of its group, its own label, and the bytes as in CIFAR-10."""
    return _read_cifar(paths[:-1], 2, 100), _read_cifar(paths[-1:], 2, 100)


def _read_cifar(paths: Sequence[Path], labels: int, classes: int) -> tuple[Bytes, Bytes]:
    """Images, and the last of so many labels before each."""
    records, size = [], labels + 3 * 32 * 32
    for path in paths:
        content = np.frombuffer(_content(path), np.uint8)
        if not len(content) or len(content) % size:
            holds = f"{labels} label{'s'[: labels > 1]} and 3072 bytes for each image"
            raise _damaged(path, f"holds {len(content)} bytes, not {holds}")
        wrong = content[labels - 1 :: size] >= classes
        if wrong.any():
            first = int(wrong.argmax())
            label = content[first * size + labels - 1]
            raise _damaged(path, f"has label {label} before image {first + 1}, where labels are below {classes}")
        records.append(content.reshape(-1, size))
    every = np.concatenate(records)
    return every[:, labels:].reshape(-1, 3, 32, 32), every[:, labels - 1]


_FORMATS = {
    "fashion-mnist": _Format(
        "Fashion-MNIST",
        "fashion-mnist",
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
        _read_fashion_mnist,
    ),
    "cifar10": _Format(
        "CIFAR-10",
        "cifar-10-batches-bin",
        (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"),
        _read_cifar10,
    ),
    "cifar100": _Format("CIFAR-100", "cifar-100-binary", ("train.bin", "test.bin"), _read_cifar100),
}


def _find(data_dir: Path, subfolder: str, name: str) -> Path:
    for folder in (data_dir, data_dir / subfolder):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise InputError(
        f"'{data_dir}' holds no {name} (nor {name}.gz, nor either in {subfolder}/); put the file there or set another "
        "folder",
        "data_dir",
    )


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, f"cannot be decompressed: {error}") from error


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path} is damaged: it {what}; fetch it again", "data_dir")


def _split(images: Bytes, labels: Bytes, count: int, size: int) -> tuple[Images, Images]:
    """The first ``count`` images and the rest, each with a channel dimension and zeros around up to ``size``."""
    if count < 1:
        raise InputError(f"{len(labels)} training images are too few to split {FULL_VALIDATION} off", "data_dir")
    if images.ndim == 3:
        images = images[:, None]
    border = (size - images.shape[-1]) // 2
    padded = np.pad(images, ((0, 0), (0, 0), (border, border), (border, border)))
    return Images(padded[:count], labels[:count].copy()), Images(padded[count:], labels[count:].copy())


def _checksum(*parts: Images) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(str(part.images.shape).encode())
        for array in (part.images, part.labels):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
