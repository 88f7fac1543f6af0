"""Files of tensors and plain values, which PyTorch reads without running anything that they say."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import torch

__all__ = ["DamagedError", "read_tensors", "tensor_file"]


class DamagedError(ValueError):
    """What was read is no such file, or not as it was written."""


def tensor_file(values: Any) -> bytes:
    """A file of tensors and plain values: numbers, texts, lists and mappings of them."""
    content = io.BytesIO()
    torch.save(values, content)
    return content.getvalue()


def read_tensors(content: bytes) -> Any:
    """What :func:`tensor_file` wrote; tensors come to the CPU.

    Raises:
        DamagedError: it is something else, or its checksums are wrong.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:  # torch itself does not look at the checksums
            if damaged := archive.testzip():
                raise DamagedError(f"wrong checksum of {damaged}")
        # weights_only: tensors and plain values, never code
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (
        AttributeError, EOFError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError,
        pickle.UnpicklingError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise DamagedError((str(error) or type(error).__name__).splitlines()[0]) from error
