"""The one error that bad input raises, wherever it is found."""

from __future__ import annotations

__all__ = ["InputError"]


class InputError(ValueError):
    """Bad input: the message names the place, the value, what is allowed and how to mend it.

    Args:
        message: one or two sentences for the user; the command line prints them without a traceback.
        field: dotted path of the offending field (``budget.evaluations``), if it has one.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        return type(self), (self.message, self.field)  # crosses process borders with its field

    def under(self, prefix: str) -> InputError:
        """The same error, with its field below ``prefix``."""
        return type(self)(self.message, f"{prefix}.{self.field}" if self.field else prefix)
