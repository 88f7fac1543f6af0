"""Search files: what may stand in them, and everything that is wrong with one in one go.

:mod:`.reading` reads a file and the values given in its place, :mod:`.sections` says what it may hold, :mod:`.parsing`
checks it against that, :mod:`.mistakes` tells what is wrong.
"""

from explorer.spec.mistakes import Mistake, SearchFileError, mistake_of
from explorer.spec.parsing import parse_spec
from explorer.spec.reading import override, read_search, read_settings
from explorer.spec.sections import NAME, BudgetSpec, ConfirmSpec, SearchSpec, StrategySpec, WorkloadSpec

__all__ = [
    "NAME",
    "BudgetSpec",
    "ConfirmSpec",
    "Mistake",
    "SearchFileError",
    "SearchSpec",
    "StrategySpec",
    "WorkloadSpec",
    "mistake_of",
    "override",
    "parse_spec",
    "read_search",
    "read_settings",
]
