"""Data frames as Parquet files: a column knows its unit, so that whoever reads the file need not know the study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.files import write_new

if TYPE_CHECKING:
    import pandas

__all__ = ["UNIT", "write_parquet"]

UNIT = b"unit"
"""Key of a column's metadata that holds its unit."""


def write_parquet(frame: pandas.DataFrame, units: Mapping[str, str], path: Path, field: str = "path") -> None:
    """A data frame as a new Parquet file.

    Args:
        frame: what is written; columns that are empty throughout are there, too.
        units: of columns by name; those that are not named have none.
        path: of the file.
        field: what gave its name, for messages.

    Raises:
        InputError: the file is there already, or cannot be written.
    """
    import pyarrow
    from pyarrow import parquet

    mixed = {name: str for name in frame if len({type(cell) for cell in frame[name]} - {float, int}) > 1}
    table = pyarrow.Table.from_pandas(frame.astype(mixed), preserve_index=False)
    fields = [
        column.with_metadata({UNIT: units[column.name].encode()}) if units.get(column.name) else column
        for column in table.schema
    ]
    out = pyarrow.BufferOutputStream()
    parquet.write_table(table.cast(pyarrow.schema(fields, metadata=table.schema.metadata)), out, compression="zstd")
    write_new(path, out.getvalue().to_pybytes(), field)
