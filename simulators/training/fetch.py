"""Complete data sets from their publishers: ``python -m simulators.training.fetch cifar10 FOLDER``.

What arrives is checked against the publisher's checksum before anything is unpacked; ``data_dir: FOLDER`` then finds
it. Where the publishers cannot be reached, put their files into FOLDER by hand: the message says which.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tarfile
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.protocol import InputError

__all__ = ["ARCHIVES", "Archive", "fetch"]


@dataclass(frozen=True)
class Archive:
    """A file of a publisher.

    Args:
        url: where it lies.
        md5: of its content, as its publisher prints it.
        folder: below the data folder, where it belongs; an archive holds its own folder.
    """

    url: str
    md5: str
    folder: str = ""

    @property
    def name(self) -> str:
        """Of the file."""
        return self.url.rpartition("/")[2]


_CIFAR = "https://www.cs.toronto.edu/~kriz/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

ARCHIVES: Mapping[str, Sequence[Archive]] = {
    "cifar10": [Archive(f"{_CIFAR}cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530")],
    "cifar100": [Archive(f"{_CIFAR}cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8")],
    "fashion-mnist": [
        Archive(f"{_FASHION}{name}.gz", md5, "fashion-mnist")
        for name, md5 in (
            ("train-images-idx3-ubyte", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("train-labels-idx1-ubyte", "25c81989df183df01b3e8a0aad5dffbe"),
            ("t10k-images-idx3-ubyte", "bef4ecab320f06d8554ea6380940ec79"),
            ("t10k-labels-idx1-ubyte", "bb300cfdad3c16e7a12a480ee83cd310"),
        )
    ],
}
"""Files by data set."""


def fetch(archives: Sequence[Archive], folder: Path) -> None:
    """Put the files of a data set where training looks for them.

    Args:
        archives: its files.
        folder: the data folder; made if it is not there.

    Raises:
        InputError: a file cannot be had, is not the publisher's, or cannot be written.
    """
    for archive in archives:
        by_hand = f"put {archive.name} into {folder / archive.folder} by hand, unpacked"
        try:
            with urllib.request.urlopen(archive.url, timeout=60) as answer:  # noqa: S310  # addresses of the table above
                content = answer.read()
        except OSError as error:
            raise InputError(f"{archive.url} cannot be read ({error}); {by_hand}", "dataset") from None
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != archive.md5:
            raise InputError(f"{archive.url} is not the publisher's file: its MD5 is {found}, not {archive.md5}; "
                             f"try again, or {by_hand}", "dataset")  # fmt: skip
        place = folder / archive.folder
        try:
            place.mkdir(parents=True, exist_ok=True)
            if archive.name.endswith(".tar.gz"):
                with tarfile.open(fileobj=io.BytesIO(content)) as packed:
                    packed.extractall(place, filter="data")
            else:
                (place / archive.name).write_bytes(content)
        except OSError as error:
            raise InputError(f"{place} cannot be written ({error.strerror})", "folder") from None


def main() -> int:
    """Fetch the data set that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m simulators.training.fetch", description="Fetch a data set.")
    parser.add_argument("dataset", choices=ARCHIVES)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    try:
        fetch(ARCHIVES[options.dataset], options.folder)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.dataset} is in {options.folder}: data_dir: {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
