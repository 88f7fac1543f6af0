"""The store: one row per finished evaluation, SQLite by default, PostgreSQL by URL.

The driver is the only writer; all results of one wait go into one commit, so that a finished evaluation survives
``kill -9``. A study names its search file, code version and data checksums: resuming needs nothing else.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError, InterfaceError, NoResultFound, OperationalError, SQLAlchemyError

from explorer.evaluation import Evaluation, digest_of
from explorer.locks import HeldError, file_lock, server_lock
from explorer.outline import Outline
from simulators.protocol import InputError, check_writable, suggestion

__all__ = [
    "RESULTS",
    "Store",
    "StoreError",
    "StudyRecord",
    "check_place",
    "free_name",
    "parse_reference",
    "shown",
    "store_file",
    "taken",
]

SCHEMA_VERSION = 1
FILE = "sqlite:///"
"""What the URL of a store in a file begins with."""

RESULTS = Path("results")
"""Where studies without a store of their own are kept."""

PASSING = ("locked", "disk i/o error", "unable to open database file")
"""SQLite's words for what passes."""

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


STANDINGS = sql.Table(
    "rex_standings",
    metadata,
    sql.Column("study_id", sql.ForeignKey("rex_studies.id"), primary_key=True),
    sql.Column("row", sql.JSON, nullable=False),
)


class StoreError(InputError):
    """The store cannot be asked, or written.

    Args:
        message, field: see :class:`InputError`.
        passing: whether waiting may mend it, as with a server that is started anew.
    """

    def __init__(self, message: str, field: str = "", passing: bool = False) -> None:
        super().__init__(message, field)
        self.passing = passing

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str, bool]]:  # type: ignore[override]  # one value more
        return type(self), (self.message, self.field, self.passing)


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
    if re.match(r"(?i)[a-z0-9+]{2,}:/", place):  # with one slash only it is a URL too, one that cannot be read
        return place, name
    return f"{FILE}{Path(os.path.expanduser(place))}", name


def store_file(url: str) -> Path | None:
    """The file of a SQLite store; None for other databases."""
    return Path(url.removeprefix(FILE)) if url.startswith(FILE) else None


def shown(url: str) -> str:
    """The place of a store in messages and references, without a password."""
    return str(store_file(url) or sql.make_url(url).render_as_string(hide_password=True))


class Store:
    """An open store.

    Args:
        url: ``sqlite:///PATH``, or another SQLAlchemy URL.
        create: it need not be there yet; nothing is written before :meth:`create`.

    Raises:
        InputError: the store cannot be opened, or it is something else.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        self.url = url
        file = store_file(url)
        if file is not None:
            _check_file(file, create)
        self.engine = _engine(url)
        self._has_standings = self._was_away = False
        self._ids: dict[str, int] = {}
        self._insert_or_ignore = _insert_or_ignore(self.engine.dialect.name)  # built once: it takes as long as it runs
        self._renew: Callable[[], None] = lambda: None
        tables = self._tables()
        self._check_tables(tables)
        if STUDIES.name not in tables and ((tables and file is not None) or not create):
            raise InputError(
                f"{shown(url)} holds no studies of rex; name a store that `rex run` has written"
                + (", or a file that is not there yet" if create else ""),
                "store",
            )

    def _tables(self) -> list[str]:
        file = store_file(self.url)
        if file is not None and not file.exists():
            return []  # asking SQLite would make the file
        with _told(self.url, "open"):
            return sql.inspect(self.engine).get_table_names()

    def _check_tables(self, names: Sequence[str]) -> None:
        """Raises InputError if tables of another program have the names of ours."""
        for table in metadata.sorted_tables:
            if table.name in names:
                with _told(self.url, "open"):
                    columns = {column["name"] for column in sql.inspect(self.engine).get_columns(table.name)}
                if missing := [column for column in table.columns.keys() if column not in columns]:  # noqa: SIM118  # of SQLAlchemy
                    raise InputError(
                        f"{shown(self.url)} has a table {table.name} that rex did not write (it lacks "
                        f"{', '.join(missing)}); name another store",
                        "store",
                    )

    def check_writable(self) -> None:
        """Make sure that a study can be written, before anything dear is done.

        Raises:
            InputError: the file, or the folder where it is to be, or the database cannot be written.
        """
        file = store_file(self.url)
        if file is not None:
            check_writable(file.parent, "store")  # SQLite's log is written beside the file
            check_writable(file, "store")
            return
        with _told(self.url, "write"), self.engine.connect() as connection:  # tried and, since never committed, undone
            metadata.create_all(connection)
            connection.execute(STUDIES.insert().values(name="", record={}))

    @contextmanager
    def driven(self, study: str) -> Iterator[None]:
        """Keep others from running a study while this process does; nothing is left of it when the process is gone.

        Args:
            study: its name; it need not be there yet.

        Raises:
            InputError: somebody else runs it (the message says who), or the store cannot be written.
        """
        file = store_file(self.url)
        with ExitStack() as stack:
            try:
                if file is not None:
                    stack.enter_context(file_lock(_lock_of(file, study)))
                else:
                    with _told(self.url, "write"):
                        self._renew = stack.enter_context(server_lock(self.engine, f"rex {study}"))
            except HeldError as holder:
                raise self._driven_by(study, holder) from None
            except OSError as error:
                raise InputError(
                    f"{shown(self.url)} cannot be written ({error.strerror}); choose another place", "store"
                ) from None
            yield

    def _driven_by(self, study: str, holder: HeldError) -> InputError:
        return InputError(
            f"study '{study}' in {shown(self.url)} is being run by {holder}: wait until that ends or stop it, or begin "
            "another study with `rex run FILE --study NAME`",
            "study",
        )

    def names(self) -> list[str]:
        """Names of the studies, oldest first."""
        if STUDIES.name not in self._tables():
            return []
        with _told(self.url, "read"), self.engine.connect() as connection:
            return [row.name for row in connection.execute(sql.select(STUDIES.c.name).order_by(STUDIES.c.id))]

    def find(self, name: str = "") -> StudyRecord:
        """The study called ``name``; the only one there if ``name`` is empty.

        Raises:
            InputError: there is none of that name, or several and no name was given.
        """
        names = self.names()
        if not names:
            raise InputError(f"{shown(self.url)} holds no study yet", "store")
        if not name and len(names) > 1:
            raise InputError(
                f"{shown(self.url)} holds {len(names)} studies: name one, {shown(self.url)}#{names[-1]} "
                f"(there are {', '.join(names)})",
                "study",
            )
        name = name or names[0]
        if name not in names:
            close = suggestion(name, names)
            there = "" if close.startswith(";") else f"; there {'are' if len(names) > 1 else 'is'} {', '.join(names)}"
            raise InputError(f"{shown(self.url)} holds no study '{name}'{close}{there}", "study")
        with _told(self.url, "read"), self.engine.connect() as connection:
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
        file = store_file(self.url)
        try:
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot write {file} ({error.strerror}); give another place with --store", "store"
            ) from None
        try:
            with _told(self.url, "write"), self.engine.connect() as connection:
                if file is not None:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # readers while a search writes
                    connection.commit()
                with connection.begin():
                    metadata.create_all(connection)
                    connection.execute(STUDIES.insert().values(name=record.name, record=vars(record)))
        except InputError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise taken(self.url, record.name) from None
            raise

    def append(self, study: str, evaluations: Sequence[Evaluation]) -> None:
        """Write evaluations in one commit; one that is already there (same key) is left as it is.

        Raises:
            StoreError: the store cannot be written.
            InputError: the server was away, and somebody else runs the study now.
        """
        if not evaluations:
            return
        try:
            if self._was_away:  # a server that was started anew knows nothing of locks
                with _told(self.url, "write"):
                    self._renew()
            self._insert(study, evaluations)
        except HeldError as holder:
            raise self._driven_by(study, holder) from None
        except StoreError:
            self._was_away = True
            raise
        self._was_away = False

    def _insert(self, study: str, evaluations: Sequence[Evaluation]) -> None:
        with _told(self.url, "write"), self.engine.begin() as connection:
            study_id = self._id_of(study, connection)
            rows = [
                {"study_id": study_id, "key": e.digest, "derived": bool(e.derived_from), "row": e.to_json()}
                for e in evaluations
            ]
            connection.execute(self._insert_or_ignore, rows)

    def _id_of(self, study: str, connection: sql.Connection) -> int:
        """The number of a study, asked for once: it never changes."""
        if study not in self._ids:
            query = sql.select(STUDIES.c.id).where(STUDIES.c.name == study)
            self._ids[study] = connection.execute(query).scalar_one()
        return self._ids[study]

    def tell_standing(self, study: str, standing: Mapping[str, Any]) -> None:
        """Write how a search stands, in place of what stood there.

        Raises:
            StoreError: the store cannot be written.
        """
        with _told(self.url, "write"), self.engine.begin() as connection:
            if not self._has_standings:  # a store of an earlier version has not
                STANDINGS.create(connection, checkfirst=True)
            study_id = self._id_of(study, connection)
            updated = connection.execute(STANDINGS.update().where(STANDINGS.c.study_id == study_id), {"row": standing})
            if updated.rowcount == 0:
                connection.execute(STANDINGS.insert(), {"study_id": study_id, "row": standing})
        self._has_standings = True

    def standing(self, study: str) -> dict[str, Any] | None:
        """How a search of a study stood when that was last written; None if it never was."""
        if STANDINGS.name not in self._tables():
            return None
        query = sql.select(STANDINGS.c.row).join(STUDIES, STUDIES.c.id == STANDINGS.c.study_id)
        with _told(self.url, "read"), self.engine.connect() as connection:
            row: dict[str, Any] | None = connection.execute(query.where(STUDIES.c.name == study)).scalar()
        return row

    def evaluations(self, study: str, before: Sequence[Evaluation] = ()) -> list[Evaluation]:
        """All evaluations of a study in the order in which they were written, numbered, derived ones included.

        Args:
            study: its name.
            before: the first of them, read earlier, which are not read again.
        """
        bits = Outline.from_json(self.find(study).outline).bit_variables
        query = (
            sql.select(EVALUATIONS.c.key, EVALUATIONS.c.row)
            .join(STUDIES, STUDIES.c.id == EVALUATIONS.c.study_id)
            .where(STUDIES.c.name == study)
            .order_by(EVALUATIONS.c.id)
            .offset(len(before))
        )
        with _told(self.url, "read"), self.engine.connect() as connection:
            rows = connection.execute(query).all()
        last = max((evaluation.number for evaluation in before), default=0)
        numbers: dict[str, int] = {}
        earlier = [evaluation for evaluation in before if not evaluation.derived_from]
        found = []
        for key, row in rows:
            if origin := row["derived_from"]:
                if digest_of(origin) not in numbers and earlier:  # seldom: members are written with what was run
                    numbers.update((evaluation.digest, evaluation.number) for evaluation in earlier)
                    earlier = []
                number = numbers.get(digest_of(origin), 0)
            else:
                number = numbers[key] = last = last + 1
            found.append(Evaluation.from_json({**row, "number": number}, bits))
        return found

    def close(self) -> None:
        """Give back connections; with SQLite also fold the write-ahead log into the file."""
        self.engine.dispose()


def check_place(reference: str) -> None:
    """Look at where a new study is to be kept; nothing is made, and no server is asked.

    Args:
        reference: a file or database URL, with ``#NAME`` if that is to be the study's name.

    Raises:
        InputError: no study can be kept there, or it has one of that name.
    """
    url, name = parse_reference(reference)
    if store_file(url) is None:
        _engine(url).dispose()
        return
    store = Store(url, create=True)
    try:
        if name in store.names():
            raise taken(url, name)
        store.check_writable()
    finally:
        store.close()


@contextmanager
def _told(url: str, doing: str) -> Iterator[None]:
    """Errors of the database as bad input: a damaged file, a full disk, a server that is not there."""
    try:
        yield
    except (SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        if reason == "file is not a database":
            raise InputError(
                f"{shown(url)} is not a SQLite database; name a store that `rex run` has written", "store"
            ) from error
        if "psycopg" in reason and isinstance(error, ImportError):
            reason += "; pip install 'reram-explorer[postgresql]'"
        if "malformed" in reason or isinstance(error, NoResultFound):
            reason += " (damaged: use a copy, or save what is left: `sqlite3 DAMAGED .recover | sqlite3 NEW`)"
        raise StoreError(f"cannot {doing} the store {shown(url)}: {reason}", "store", _passes(error, reason)) from error


def _passes(error: Exception, reason: str) -> bool:
    """Whether an error of the database may be over soon."""
    if not isinstance(error, OperationalError | InterfaceError) or "full" in reason or "No space left" in reason:
        return False
    of_sqlite = type(error.orig).__module__ == "sqlite3"
    return any(words in reason.lower() for words in PASSING) if of_sqlite else True


def _engine(url: str) -> sql.Engine:
    """What connects to a store, not connected yet.

    Raises:
        InputError: the URL cannot be read, or is of no database that can be a store.
    """
    file, forms = store_file(url), "a SQLite file (its path) or a PostgreSQL database (postgresql://USER@HOST/DATABASE)"
    try:
        database = _database(url, file)
    except (SQLAlchemyError, ValueError) as error:  # its text may hold a password
        raise InputError(f"the URL of the store cannot be read; write {forms}", "store") from error
    if (kind := database.get_backend_name()) not in ("sqlite", "postgresql"):
        raise InputError(f"{shown(url)}: a store is {forms}, not {kind}", "store")
    with _told(url, "open"):
        engine = sql.create_engine(database, **(_PATIENCE if kind == "postgresql" else {}))
    if engine.dialect.name == "sqlite":
        if file is None or file.name == ":memory:":
            raise InputError(f"{url} is no file; give the path of one", "store")
        sql.event.listen(engine, "connect", _prepare_sqlite)
    return engine


# A server that is gone without a word is noticed within half a minute; its connections are tried before they are used.
_PATIENCE: Mapping[str, Any] = {
    "pool_pre_ping": True,
    "connect_args": {
        "connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
        "tcp_user_timeout": 20_000, "options": "-c statement_timeout=30000",
    },
}  # fmt: skip


def _lock_of(file: Path, study: str) -> Path:
    """The lock of a study in a file: beside the file itself, however it is reached."""
    whole = Path(os.path.realpath(file))
    return whole.with_name(f"{whole.name}.{study}.lock")


def taken(url: str, name: str) -> InputError:
    """The complaint that a store has a study of that name."""
    return InputError(
        f"{shown(url)} already holds a study '{name}': go on with `rex resume {shown(url)}#{name}`, or choose another "
        "name with --study",
        "study",
    )


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted``, or ``wanted-2``, ``wanted-3`` ... if it is taken."""
    taken = set(taken)
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _database(url: str, file: Path | None) -> sql.URL:
    """The URL for SQLAlchemy; a path may hold signs that mean something in URLs."""
    if file is not None:
        if file.exists() and not os.access(file.parent, os.W_OK) and not Path(f"{file}-wal").exists():
            # somebody else's folder: SQLite would write a log beside the file even to read it
            return sql.URL.create(
                "sqlite", database=f"file:{quote(str(file))}", query={"uri": "true", "immutable": "1"}
            )
        return sql.URL.create("sqlite", database=str(file))
    parsed = sql.make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _insert_or_ignore(dialect: str) -> Any:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(EVALUATIONS).on_conflict_do_nothing()
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(EVALUATIONS).on_conflict_do_nothing()


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")  # survives kill -9; FULL would also survive a power cut, at 140 x
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _check_file(path: Path, create: bool) -> None:
    """Say plainly what is wrong with a SQLite file before SQLite says it darkly.

    The file itself is never opened here: closing it would drop the locks by which this process's connections keep the
    write-ahead log from being taken away by the next reader.

    Raises:
        InputError: the file is missing or a folder.
    """
    try:
        if path.is_dir():
            raise InputError(
                f"{path} is a folder; give the path of a file in it, such as {path / 'search.db'}", "store"
            )
        if not path.exists() and not create:
            raise InputError(f"there is no study at {path}; `rex run FILE` makes one and prints its path", "study")
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror})", "store") from None
