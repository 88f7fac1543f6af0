"""The store: one row per finished evaluation, SQLite by default, PostgreSQL by URL.

The driver is the only writer; all results of one wait go into one commit, so that a finished evaluation survives
``kill -9``. A study names its search file, code version and data checksums: resuming needs nothing else.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from explorer.evaluation import Evaluation
from explorer.outline import Outline
from simulators.protocol import InputError, suggestion

__all__ = ["Store", "StudyRecord", "free_name", "parse_reference"]

SCHEMA_VERSION = 1

metadata = sql.MetaData()

STUDIES = sql.Table(
    "rex_studies",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("name", sql.String(200), nullable=False, unique=True),
    sql.Column("record", sql.JSON, nullable=False),
)
EVALUATIONS = sql.Table(
    "rex_evaluations",
    metadata,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("study_id", sql.ForeignKey("rex_studies.id"), nullable=False),
    sql.Column("key", sql.String(64), nullable=False),  # SHA-256 of Evaluation.key, which has no bound
    sql.Column("derived", sql.Boolean, nullable=False),
    sql.Column("row", sql.JSON, nullable=False),
    sql.UniqueConstraint("study_id", "key", "derived"),
)


@dataclass(frozen=True)
class StudyRecord:
    """What a study keeps beside its evaluations.

    Args:
        name: of the study.
        search: the search as plain data (see :class:`explorer.spec.SearchSpec`), overrides applied; empty for a problem
            made from functions.
        folder: the search file's folder: relative paths in the search start there.
        outline: of the problem, as plain data.
        code_version: of reram-explorer.
        provenance: data checksums, recipes, versions.
        created_at: seconds since 1970.
        schema_version: of the store.
    """

    name: str
    search: Mapping[str, Any]
    folder: str
    outline: Mapping[str, Any]
    code_version: str
    provenance: Mapping[str, str] = field(default_factory=dict)
    created_at: float = field(default_factory=time.time)
    schema_version: int = SCHEMA_VERSION


def parse_reference(reference: str) -> tuple[str, str]:
    """A STUDY as written on the command line: ``PATH``, ``PATH#name`` or ``URL#name``.

    Returns:
        The database URL and the study's name (empty: the only study there).
    """
    place, _, name = reference.partition("#")
    if re.match(r"^[a-z0-9+]+://", place):
        return place, name
    return f"sqlite:///{Path(place).expanduser()}", name


def _shown(url: str) -> str:
    """The place of a store in messages, without a password."""
    if url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///")
    return sql.make_url(url).render_as_string(hide_password=True)


class Store:
    """An open store.

    Args:
        url: SQLAlchemy URL.
        create: make the file and the tables if they are not there.

    Raises:
        InputError: the store cannot be opened or written, or it is something else.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        self.url = url
        if url.startswith("sqlite:///"):
            _check_file(Path(url.removeprefix("sqlite:///")), create)
        try:
            self.engine = sql.create_engine(url)
            if self.engine.dialect.name == "sqlite":
                sql.event.listen(self.engine, "connect", _prepare_sqlite)
            if create:
                metadata.create_all(self.engine)
            if not sql.inspect(self.engine).has_table("rex_studies"):
                raise InputError(
                    f"{_shown(url)} holds no studies of rex; name a store that `rex run` has written", "store"
                )
        except (SQLAlchemyError, ImportError) as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise InputError(
                f"cannot open the store {_shown(url)}: {reason}; give a path to a file, or a database URL", "store"
            ) from error

    def names(self) -> list[str]:
        """Names of the studies, oldest first."""
        with self.engine.connect() as connection:
            return [row.name for row in connection.execute(sql.select(STUDIES.c.name).order_by(STUDIES.c.id))]

    def find(self, name: str = "") -> StudyRecord:
        """The study called ``name``; the only one there if ``name`` is empty.

        Raises:
            InputError: there is none of that name, or several and no name was given.
        """
        names = self.names()
        if not names:
            raise InputError(f"{_shown(self.url)} holds no study yet", "store")
        if not name and len(names) > 1:
            raise InputError(
                f"{_shown(self.url)} holds {len(names)} studies: name one, {_shown(self.url)}#{names[-1]} "
                f"(there are {', '.join(names)})",
                "study",
            )
        name = name or names[0]
        if name not in names:
            raise InputError(f"{_shown(self.url)} holds no study '{name}'{suggestion(name, names)}", "study")
        with self.engine.connect() as connection:
            record = connection.execute(sql.select(STUDIES.c.record).where(STUDIES.c.name == name)).scalar_one()
        if record["schema_version"] > SCHEMA_VERSION:
            raise InputError(
                f"study '{name}' was written by a newer version of reram-explorer ({record['code_version']}); upgrade",
                "study",
            )
        return StudyRecord(**record)

    def create(self, record: StudyRecord) -> None:
        """Begin a study.

        Raises:
            InputError: there is one of that name.
        """
        try:
            with self.engine.begin() as connection:
                connection.execute(STUDIES.insert().values(name=record.name, record=vars(record)))
        except IntegrityError:
            raise InputError(
                f"{_shown(self.url)} already holds a study '{record.name}': go on with `rex resume "
                f"{_shown(self.url)}#{record.name}`, or choose another name with --study",
                "study",
            ) from None

    def append(self, study: str, evaluations: Sequence[Evaluation]) -> None:
        """Write evaluations in one commit; one that is already there (same key) is left as it is."""
        if not evaluations:
            return
        with self.engine.begin() as connection:
            study_id = connection.execute(sql.select(STUDIES.c.id).where(STUDIES.c.name == study)).scalar_one()
            rows = [
                {"study_id": study_id, "key": _digest(e.key), "derived": bool(e.derived_from), "row": e.to_json()}
                for e in evaluations
            ]
            connection.execute(_insert_or_ignore(self.engine.dialect.name), rows)

    def evaluations(self, study: str) -> list[Evaluation]:
        """All evaluations of a study in the order in which they were written, derived ones included."""
        bits = Outline.from_json(self.find(study).outline).bit_variables
        query = (
            sql.select(EVALUATIONS.c.row)
            .join(STUDIES, STUDIES.c.id == EVALUATIONS.c.study_id)
            .where(STUDIES.c.name == study)
            .order_by(EVALUATIONS.c.id)
        )
        with self.engine.connect() as connection:
            return [Evaluation.from_json(row, bits) for row in connection.execute(query).scalars()]

    def close(self) -> None:
        """Give back connections; with SQLite also fold the write-ahead log into the file."""
        self.engine.dispose()


def _insert_or_ignore(dialect: str) -> Any:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(EVALUATIONS).on_conflict_do_nothing()
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(EVALUATIONS).on_conflict_do_nothing()


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers while a search writes
    cursor.execute("PRAGMA synchronous=NORMAL")  # survives kill -9; FULL would also survive a power cut, at 140 x
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _check_file(path: Path, create: bool) -> None:
    """Say plainly what is wrong with a SQLite file before SQLite says it darkly.

    Raises:
        InputError: the file is missing, a folder, not a database, or cannot be written.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the path of a file in it, such as {path / 'search.db'}", "store")
    if not path.exists():
        if not create:
            raise InputError(f"there is no study at {path}; `rex run FILE` makes one and prints its path", "study")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            raise InputError(
                f"cannot write {path} ({error.strerror}); give another place with --store", "store"
            ) from None
        return
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror})", "store") from None
    if head and head != b"SQLite format 3\x00":
        raise InputError(f"{path} is not a SQLite database; name a store that `rex run` has written", "store")
    if create:
        try:
            path.open("r+b").close()
        except OSError as error:
            raise InputError(
                f"cannot write {path} ({error.strerror}); give another place with --store", "store"
            ) from None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted``, or ``wanted-2``, ``wanted-3`` ... if it is taken."""
    taken = set(taken)
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
