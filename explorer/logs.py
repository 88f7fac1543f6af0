"""The log of a study: one file beside its store that says what happened to its workers and attempts, and when.

What evaluations and nodes themselves print is in Ray's logs, each on its node; the log of the study says where.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["logged_to"]

PACKAGES = ("explorer", "simulators", "objectives")


@contextmanager
def logged_to(file: Path) -> Iterator[None]:
    """Within it, what this product logs is added to a file, from informations on; warnings are shown as ever, too.

    Args:
        file: in a folder that is there.
    """
    handler = logging.FileHandler(file, encoding="utf-8", delay=True)
    form = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime  # nodes may be in other time zones
    handler.setFormatter(form)
    handler.setLevel(logging.INFO)
    loggers = [logging.getLogger(name) for name in PACKAGES]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        if logger.getEffectiveLevel() > logging.INFO:
            logger.setLevel(logging.INFO)
    # a logger with a handler no longer uses the one of last resort, which shows warnings where nobody set up any other
    shown = None if logging.getLogger().handlers else logging.lastResort
    if shown is not None:
        for logger in loggers:
            logger.addHandler(shown)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            if shown is not None:
                logger.removeHandler(shown)
            logger.setLevel(level)
        handler.close()
