from __future__ import annotations

import json
import math
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer import BinaryVector, Bits, Categorical, Design, Evaluation, InputError, Integer, Problem, Space
from explorer.failures import Attempt, FailureKind
from explorer.outline import Outline
from explorer.store import SCHEMA_VERSION, Store, StudyRecord, free_name, parse_reference, shown
from tests.explorer.postgresql import Server, why_none

SPACE = Space(
    {"bn": BinaryVector(8), "layers": Integer(1, 3), "size": Categorical([64, 128]), "kind": Categorical("ab")}
)
PROBLEM = Problem.from_functions(
    SPACE, {"f": lambda design: design["layers"]}, directions={"f": "maximize"}, reads={"f": ["bn"]}
)
DESIGN = Design({"bn": Bits("00000101"), "layers": 2, "size": 128, "kind": "b"})
FULL = Evaluation(
    design=DESIGN,
    family='{"bn":"00000101"}',
    fidelity=4,
    replicate=2,
    strategy="tpe",
    seed=2**31 - 1,
    values={"f": 0.1 + 0.2, "latency": 1e-300},
    quantities={"area_mm2": 1.5, "µ": -0.0},
    violation=0.25,
    series={"accuracy": [0.1, 0.2], "loss": []},
    cost=3.0,
    failure="",
    traceback="",
    started_at=1700000000.123456,
    duration_s=0.5,
    worker="10.0.0.1:77",
)


def record(name: str = "demo", **more: object) -> StudyRecord:
    return StudyRecord(**{**vars(StudyRecord(name, {}, "/", PROBLEM.outline.to_json(), "0.1.0")), **more})  # type: ignore[arg-type]  # test data


def begun(url: str, name: str = "demo") -> Store:
    store = Store(url, create=True)
    store.create(record(name))
    return store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'deep' / 'er' / 'a store%41?x=1.db'}"


class KeepsStudies:
    """What any database behind a store must do; PostgreSQL inherits it."""

    def test_an_evaluation_comes_back_as_it_was(self, url: str) -> None:
        store = begun(url)
        lost = Attempt(FailureKind.NODE_LOST, "node lost", "", "6ce3", "a:1", 1.5, 2.5)
        failed = replace(
            FULL, replicate=0, values={}, failure="boom: 'x'", traceback='File "a.py"\n  raise\n\ttab é', node="4bd8",
            kind=FailureKind.EXCEPTION, earlier=(lost,),
        )  # fmt: skip
        derived = replace(FULL, design=Design({**DESIGN, "layers": 3}), derived_from=FULL.key)
        bare = Evaluation(DESIGN, "")
        store.append("demo", [FULL, failed, derived])
        store.append("demo", [bare])
        again = Store(url).evaluations("demo")
        assert again == [FULL, failed, derived, bare]
        assert isinstance(again[0].design["bn"], Bits)
        assert str(again[0].design["bn"]) == "00000101"
        assert [e.key for e in again] == [e.key for e in (FULL, failed, derived, bare)]

    def test_evaluations_are_numbered_as_they_arrived_and_derived_ones_like_what_they_follow_from(
        self, url: str
    ) -> None:
        store = begun(url)
        other, derived = replace(FULL, replicate=3), replace(FULL, design=Design({**DESIGN, "layers": 3}))
        store.append("demo", [FULL, replace(derived, derived_from=other.key), other])
        store.append("demo", [replace(derived, derived_from=other.key, replicate=5), replace(FULL, replicate=4)])
        assert [e.number for e in store.evaluations("demo")] == [1, 0, 2, 2, 3]

    def test_numbers_that_are_not_finite_survive(self, url: str) -> None:
        store = begun(url)
        store.append("demo", [replace(FULL, series={"loss": [2.0, math.nan]}, violation=math.inf)])
        (again,) = store.evaluations("demo")
        assert again.violation == math.inf
        assert again.series["loss"][0] == 2.0
        assert math.isnan(again.series["loss"][1])

    def test_the_same_evaluation_is_kept_once_and_the_first_stays(self, url: str) -> None:
        store = begun(url)
        store.append("demo", [FULL])
        other = replace(FULL, replicate=3)
        store.append("demo", [replace(FULL, values={"f": 9.0}), other, other])
        assert store.evaluations("demo") == [FULL, other]

    def test_a_derived_member_does_not_stand_in_the_way_of_its_own_evaluation(self, url: str) -> None:
        store = begun(url)
        derived = replace(FULL, derived_from="another")
        store.append("demo", [derived])
        store.append("demo", [FULL])
        assert store.evaluations("demo") == [derived, FULL]

    def test_several_studies_in_one_store_do_not_mix(self, url: str) -> None:
        store = begun(url, "one")
        store.create(record("two"))
        store.append("one", [FULL])
        store.append("two", [replace(FULL, seed=1)])
        assert store.names() == ["one", "two"]
        assert [e.seed for e in store.evaluations("two")] == [1]
        assert [e.seed for e in store.evaluations("one")] == [FULL.seed]
        with pytest.raises(InputError, match=r"holds 2 studies: name one.*#two \(there are one, two\)"):
            store.find()
        with pytest.raises(InputError, match=r"holds no study 'twoo' \(did you mean 'two'\?\); there are one, two"):
            store.find("twoo")
        with pytest.raises(InputError, match=r"holds no study 'zebra'; known: one, two"):
            store.find("zebra")

    def test_the_name_of_a_study_is_given_once(self, url: str) -> None:
        store = begun(url)
        store.append("demo", [FULL])
        with pytest.raises(InputError, match=r"already holds a study 'demo': go on with `rex resume .*#demo`"):
            store.create(record("demo", search={"seed": 3}))
        assert store.find().search == {}
        assert store.evaluations("demo") == [FULL]

    def test_a_record_comes_back_as_it_was(self, url: str) -> None:
        written = record(search={"a": [1, None, {"ü": 0.5}]}, provenance={"data": "abc"}, folder="/é #x")
        store = Store(url, create=True)
        store.create(written)
        plain = replace(written, outline=json.loads(json.dumps(written.outline)))
        assert Store(url).find("demo") == plain
        assert Outline.from_json(plain.outline).space.size == SPACE.size

    def test_a_study_of_a_newer_version_is_refused(self, url: str) -> None:
        store = Store(url, create=True)
        store.create(record(schema_version=SCHEMA_VERSION + 1, code_version="9.9"))
        with pytest.raises(InputError, match=r"newer version of reram-explorer \(9.9\); upgrade"):
            store.find()

    def test_a_study_has_one_driver_at_a_time(self, url: str) -> None:
        store = begun(url)
        with store.driven("demo"), store.driven("another"):
            with pytest.raises(InputError, match=rf"'demo' .* is being run by process {os.getpid()} on "):
                Store(url).driven("demo").__enter__()
            assert Store(url).names() == ["demo"]
        with store.driven("demo"):
            pass

    def test_a_killed_driver_leaves_nothing_that_blocks(self, url: str) -> None:
        store = begun(url)
        code = f"""
import time
from explorer.store import Store
with Store({url!r}).driven("demo"):
    print("driving", flush=True)
    time.sleep(60)
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as driver:
            assert driver.stdout
            assert driver.stdout.readline() == "driving\n"
            with pytest.raises(InputError, match=rf"is being run by process {driver.pid} on {socket.gethostname()}"):
                store.driven("demo").__enter__()
            driver.kill()
        deadline = time.monotonic() + 300
        while True:  # a server notices in a moment
            try:
                with store.driven("demo"):
                    break
            except InputError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def test_looking_whether_a_study_can_be_written_writes_nothing(self, url: str) -> None:
        store = Store(url, create=True)
        store.check_writable()
        assert store.names() == []
        store.create(record())
        store.check_writable()
        assert store.names() == ["demo"]

    def test_a_batch_is_written_whole_or_not_at_all(self, url: str) -> None:
        store = begun(url)
        bad = replace(FULL, replicate=7, strategy=object())  # type: ignore[arg-type]  # cannot be JSON
        with pytest.raises((TypeError, InputError)):
            store.append("demo", [FULL, bad])
        assert store.evaluations("demo") == []


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bits=st.lists(st.integers(0, 1), min_size=8, max_size=8),
    values=st.dictionaries(TEXTS, FINITE, max_size=3),
    series=st.dictionaries(TEXTS, st.lists(FINITE, max_size=4), max_size=2),
    texts=st.tuples(TEXTS, TEXTS, TEXTS),
    violation=FINITE,
    fidelity=st.none() | st.integers(1, 10**6),
)
def test_any_evaluation_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, bits: list[int], values: dict[str, float], series: dict[str, list[float]],
    texts: tuple[str, str, str], violation: float, fidelity: int | None,
) -> None:  # fmt: skip
    store = begun(f"sqlite:///{tmp_path_factory.mktemp('any') / 'x.db'}")
    evaluation = Evaluation(
        Design({**DESIGN, "bn": Bits(bits)}), texts[0], fidelity, values=values, series=series, violation=violation,
        failure=texts[1], traceback=texts[2],
    )  # fmt: skip
    store.append("demo", [evaluation])
    assert store.evaluations("demo") == [evaluation]
    store.close()


class TestSqlite(KeepsStudies):
    pass


def test_rows_are_strict_json_that_other_programs_read(tmp_path: Path) -> None:
    store = begun(f"sqlite:///{tmp_path / 'x.db'}")
    store.append("demo", [replace(FULL, series={"loss": [math.nan]}, violation=math.inf)])
    with sqlite3.connect(tmp_path / "x.db") as connection:
        ((row,),) = connection.execute("SELECT row FROM rex_evaluations").fetchall()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(row, parse_constant=refuse)


def test_a_study_is_read_while_another_connection_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    writer = begun(url)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with writer.engine.begin() as open_transaction:
        open_transaction.execute(sql.text("UPDATE rex_studies SET name = 'renamed'"))
        assert Store(url).names() == ["demo"]
    assert Store(url).names() == ["renamed"]


WRITER = """
import os, signal, sys, time
from pathlib import Path
from explorer.store import Store
from tests.explorer.test_store import FULL, begun
from dataclasses import replace

folder = Path(sys.argv[1])
store = begun(f"sqlite:///{folder / 'x.db'}")
store.append("demo", [replace(FULL, replicate=1)])
Store(store.url).names()  # the same process opens it again, as resuming does
(folder / "written").touch()
while not (folder / "read").exists():
    time.sleep(0.01)
store.append("demo", [replace(FULL, replicate=2)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_written_after_somebody_looked_survives_kill(tmp_path: Path) -> None:
    """SQLite's locks are those of a process: who opens and closes the file beside SQLite drops them, and then the next
    reader takes the write-ahead log away from under the writer."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)])
    while not (tmp_path / "written").exists():
        assert writer.poll() is None
        time.sleep(0.01)
    look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('select * from rex_studies').fetchall()"
    subprocess.run([sys.executable, "-c", f"{look}; c.close()", str(tmp_path / "x.db")], check=True)
    (tmp_path / "read").touch()
    assert writer.wait() == -9
    found = Store(f"sqlite:///{tmp_path / 'x.db'}").evaluations("demo")
    assert [evaluation.replicate for evaluation in found] == [1, 2]


def test_opening_for_a_new_study_writes_nothing_yet(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'deep' / 'x.db'}", create=True)
    assert store.names() == []
    store.check_writable()
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_another_program_is_not_taken_for_ours(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE rex_studies (id INTEGER, breed TEXT)")
    connection.close()
    for create in (True, False):
        with pytest.raises(
            InputError, match=r"x\.db has a table rex_studies that rex did not write \(it lacks name, r"
        ):
            Store(f"sqlite:///{tmp_path / 'x.db'}", create=create)


def test_a_lock_leaves_no_file_and_no_folder_behind(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'deep' / 'er' / 'x.db'}", create=True)
    with store.driven("demo"):
        assert [path.name for path in (tmp_path / "deep" / "er").iterdir()] == ["x.db.demo.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_the_same_by_whatever_path_it_is_reached(tmp_path: Path) -> None:
    begun(f"sqlite:///{tmp_path / 'x.db'}").close()
    (tmp_path / "link.db").symlink_to(tmp_path / "x.db")
    with Store(f"sqlite:///{tmp_path / 'x.db'}").driven("demo"), pytest.raises(InputError, match="is being run by"):
        Store(f"sqlite:///{tmp_path / 'link.db'}").driven("demo").__enter__()


def test_what_is_no_store_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text, foreign, cut = tmp_path / "text.db", tmp_path / "foreign.db", tmp_path / "cut.db"
    text.write_text("hello, this is no database at all")
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE bookmarks (id INTEGER)")
    connection.close()
    begun(f"sqlite:///{cut}").close()
    cut.write_bytes(cut.read_bytes()[:5000])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for path, words in (
        (text, "is not a SQLite database"),
        (foreign, "holds no studies of rex"),
        (cut, "cannot (open|read) the store .*: .*malformed .damaged: use a copy"),
        (tmp_path, "is a folder; give the path of a file in it"),
        (text / "below.db", "there is no study at|cannot read"),
        (tmp_path / "none.db", "there is no study at .*; `rex run FILE` makes one"),
    ):
        with pytest.raises(InputError, match=words):
            Store(f"sqlite:///{path}").find()
    for path in (text, foreign, cut, tmp_path, text / "below.db"):
        with pytest.raises(InputError):
            begun(f"sqlite:///{path}")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "foo://x/y", "mysql://u:secret@h/db", "postgresql://"]
)
def test_a_store_that_cannot_be_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(InputError) as error:
        begun(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "place", ["/proc/x.db", "/proc/deep/x.db", "/dev/null/x.db", "/sys/kernel/x.db"], ids=lambda p: p.replace("/", "_")
)
def test_a_place_that_cannot_be_written_is_named(place: str) -> None:
    def begin() -> None:
        store = Store(f"sqlite:///{place}", create=True)
        store.check_writable()
        store.create(record())

    with pytest.raises(InputError, match=r"cannot (be )?writ"):
        begin()
    assert not Path(place).exists()


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user takes root")
def test_another_user_without_permission_is_told_before_anything_runs(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(0o755)
    store = begun(f"sqlite:///{tmp_path / 'x.db'}")
    store.append("demo", [FULL])
    store.close()
    code = f"""
import os
from explorer.store import Store
store = Store("sqlite:///{tmp_path}/x.db")
store.evaluations("demo")  # imports all that it takes
store.close()
os.setgid(65534); os.setuid(65534)
for name in ("x.db", "new.db", "deep/new.db"):
    try:
        store = Store(f"sqlite:///{tmp_path}/{{name}}", create=True)
        print(store.names(), len(store.evaluations("demo")) if store.names() else "")
        store.check_writable()
    except Exception as error:
        print(type(error).__name__, error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == "['demo'] 1", "reading takes no permission to write"
    assert ended.stdout.count("InputError store: ") == 3, ended.stdout
    assert ended.stdout.count("cannot be written; choose another place") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.db"]


def test_a_full_disk_is_one_message_and_what_was_written_stays(tmp_path: Path) -> None:
    store = begun(f"sqlite:///{tmp_path / 'x.db'}")
    store.append("demo", [FULL])

    @sql.event.listens_for(store.engine, "connect")
    def _limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # SQLite then says what it says of a full disk

    store.engine.dispose()
    large = replace(FULL, replicate=5, traceback="x" * 1_000_000)
    with pytest.raises(InputError, match=r"cannot write the store .*: database or disk is full"):
        store.append("demo", [large])
    assert Store(store.url).evaluations("demo") == [FULL]


@pytest.mark.parametrize(
    ("reference", "url", "name"),
    [
        ("results/demo.db", "sqlite:///results/demo.db", ""),
        ("results/demo.db#demo-2", "sqlite:///results/demo.db", "demo-2"),
        ("/a b/c.db#x", "sqlite:////a b/c.db", "x"),
        ("~/x.db", f"sqlite:///{Path.home()}/x.db", ""),
        ("~nobody-here/x.db", "sqlite:///~nobody-here/x.db", ""),
        ("postgresql://u:p@host:1/db#demo", "postgresql://u:p@host:1/db", "demo"),
        ("sqlite:///x.db#demo", "sqlite:///x.db", "demo"),
    ],
)
def test_a_reference_names_a_store_and_a_study(reference: str, url: str, name: str) -> None:
    assert parse_reference(reference) == (url, name)


def test_a_store_is_shown_without_its_password() -> None:
    assert shown("postgresql://user:secret@host/db") == "postgresql://user:***@host/db"
    assert shown("sqlite:////a/x.db") == "/a/x.db"


def test_a_free_name_is_the_wanted_one_or_the_next_number() -> None:
    assert free_name("a", []) == "a"
    assert free_name("a", ["a", "a-2", "b"]) == "a-3"


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


def _why_no_postgresql() -> str:
    return "" if "REX_TEST_POSTGRESQL" in os.environ else why_none()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a database: the one that REX_TEST_POSTGRESQL names, or of a server started for these tests."""
    if given_url := os.environ.get("REX_TEST_POSTGRESQL"):
        yield given_url
        return
    with Server() as server:
        yield server.url


@pytest.mark.skipif(bool(_why_no_postgresql()), reason=_why_no_postgresql())
class TestPostgresql(KeepsStudies):
    @pytest.fixture
    def url(self, postgresql_server: str) -> Iterator[str]:
        yield postgresql_server
        engine = sql.create_engine(postgresql_server.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            connection.execute(sql.text("DROP TABLE IF EXISTS rex_evaluations, rex_standings, rex_studies"))

    def test_an_empty_database_holds_no_studies(self, url: str) -> None:
        with pytest.raises(InputError, match="holds no studies of rex"):
            Store(url)

    def test_a_server_that_does_not_answer_is_one_message(self) -> None:
        with pytest.raises(InputError, match=r"cannot open the store postgresql://u:\*\*\*@127.0.0.1:1/db"):
            Store("postgresql://u:secret@127.0.0.1:1/db", create=True)
