from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from explorer import InputError, Study, load_study
from explorer.archive import Archive
from explorer.evaluation import Evaluation
from explorer.frames import evaluations_frame
from explorer.launch import prepare
from explorer.store import Store
from tests.explorer.searches import write_search
from tests.explorer.studies import REPLAYED, TRAINED, evaluated, rewritten


@pytest.fixture
def empty(tmp_path: Path) -> Study:
    """A study that has begun, without an evaluation yet."""
    prepared = prepare(write_search(tmp_path), store=str(tmp_path / "empty.db"))
    prepared.study.store.create(prepared.study.record)
    return prepared.study


def test_a_study_is_opened_by_path_and_by_name(finished: Study) -> None:
    assert load_study(Path(finished.reference)).name == "small"
    assert load_study(f"{finished.reference}#small").rows == finished.rows
    assert load_study(f"sqlite:///{finished.reference}#small").reference == finished.reference
    with pytest.raises(InputError, match=r"did you mean 'small'\?"):
        load_study(f"{finished.reference}#smal")


def test_a_study_tells_where_it_is_and_how_it_stands(finished: Study, empty: Study) -> None:
    assert repr(finished) == (
        f"<Study {finished.reference}#small: strategy random, 5 evaluations, "
        f"{len(finished.front())} designs on the front>"
    )
    assert repr(empty).endswith("empty.db#small: strategy random, 0 evaluations, 0 designs on the front>")


def test_evaluations_are_those_that_were_run_and_rows_hold_derived_members_too(finished: Study) -> None:
    assert [e for e in finished.rows if not e.derived_from] == finished.evaluations
    keys = {e.key for e in finished.evaluations}
    assert {e.derived_from for e in finished.rows if e.derived_from} <= keys


def test_a_front_under_a_condition_is_that_of_the_designs_that_satisfy_it(finished: Study) -> None:
    whole = finished.front()
    smaller = finished.front("area < 150 mm2 and reram_layers == 1")
    assert len(whole) > 0
    assert len(smaller) > 0
    assert all(point.values["area"] < 150 and point.design["reram_layers"] == 1 for point in smaller)
    # members that others dominated come to the front when those are ruled out
    best = min(point.values["latency"] for point in whole)
    slower = finished.front(f"latency > {best}")
    assert len(slower) > 0
    assert all(point.values["latency"] > best for point in slower)
    assert len(finished.front("area < 1 mm2")) == 0


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("aera < 1", "did you mean 'area'"),
        ("area <", r"\^"),
        ("area < 3 K", "temperature"),
        ("area", "compare it"),
        ("", "empty"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(finished: Study, where: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        finished.front(where)
    assert error.value.field == "where"


def test_all_evaluations_as_a_data_frame(finished: Study) -> None:
    frame = finished.to_pandas()
    assert len(frame) == len(finished.evaluations)
    assert {"design", "bn", "reram_layers", "accuracy", "latency", "area", "fidelity", "seed", "failure"} <= set(frame)
    assert list(frame["accuracy"]) == [e.values["accuracy"] for e in finished.evaluations]
    assert list(frame["bn"]) == [str(e.design["bn"]) for e in finished.evaluations]


def test_evaluations_say_whether_they_are_on_the_front_and_how_they_got_there(tmp_path: Path) -> None:
    study = evaluated(tmp_path, *TRAINED, {"bn": "C3", "crossbar_size": 64}, changes=REPLAYED)
    frame = evaluations_frame(study, curves=True)
    front = [point.design for point in study.front()]
    assert list(frame["on_front"]) == [e.design in front and not e.failed for e in study.evaluations]
    assert 0 < frame["on_front"].sum() < len(frame)
    assert frame["failure"].iloc[-1].startswith("infeasible: violates area")
    assert frame["kind"].iloc[-1] == "infeasible"
    assert not frame["feasible"].iloc[-1]
    assert np.isnan(frame["accuracy"].iloc[-1])
    assert [len(curve) for curve in frame["accuracy_curve"][:-1]] == [12] * len(TRAINED)
    assert frame["accuracy_curve"][0][-1] == frame["accuracy"][0]
    assert "accuracy_curve" not in study.to_pandas()
    archive = Archive(study.assemble(check_run=False).problem)
    kept = [member for evaluation in study.evaluations for member in archive.add(evaluation)]
    study.store.append(study.name, kept)
    whole = evaluations_frame(study.refresh(), derived=True)
    assert whole["derived"].sum() == len(kept) > 0
    assert set(whole["evaluation"][whole["derived"]]) <= set(frame["evaluation"])


def test_all_evaluations_as_parquet_are_asked_in_sql(tmp_path: Path) -> None:
    study = evaluated(tmp_path, *TRAINED, {"bn": "C3", "crossbar_size": 64}, changes=REPLAYED)
    path = tmp_path / "all.parquet"
    study.to_parquet(path)
    expected: dict[str, float] = {}
    for e in study.evaluations:
        if e.design["reram_layers"] == 1 and not e.failed:
            expected[str(e.design["bn"])] = max(e.values["accuracy"], expected.get(str(e.design["bn"]), 0.0))
    asked = (
        "select bn, max(accuracy) from read_parquet(?) where reram_layers = 1 and failure = '' group by bn order by bn"
    )
    assert duckdb.execute(asked, [str(path)]).fetchall() == sorted(expected.items())
    epochs = duckdb.execute(
        "select accuracy_curve[3] from read_parquet(?) where evaluation = 1", [str(path)]
    ).fetchall()
    assert epochs == [(study.evaluations[0].series["accuracy"][2],)]
    with pytest.raises(InputError, match="is there already"):
        study.to_parquet(path)


def test_an_empty_study_has_an_empty_front(empty: Study) -> None:
    again = load_study(empty.reference)
    assert len(again.front()) == len(again.front("area < 100 mm2")) == 0
    assert len(again.to_pandas()) == 0
    assert {"evaluation", "bn", "accuracy", "failure"} <= set(again.to_pandas())
    assert again.front().to_json() == "[]"


def test_a_study_is_read_anew_while_it_runs(empty: Study, finished: Study) -> None:
    reader = load_study(empty.reference)
    assert reader.evaluations == []
    empty.store.append(empty.name, finished.rows[:2])
    assert reader.evaluations == []
    assert len(reader.refresh().rows) == 2


def test_a_reference_names_the_study_where_it_is_not_alone(empty: Study, tmp_path: Path) -> None:
    assert empty.reference == str(tmp_path / "empty.db")
    another = prepare(tmp_path / "search.yaml", store=empty.reference, study="another").study
    another.store.create(another.record)
    assert another.reference == f"{tmp_path / 'empty.db'}#another"
    assert empty.reference == f"{tmp_path / 'empty.db'}#small"
    with pytest.raises(InputError, match="holds 2 studies: name one"):
        load_study(tmp_path / "empty.db")


def test_a_search_is_put_together_again_from_the_study_alone(finished: Study) -> None:
    (Path(finished.record.folder) / "search.yaml").unlink(missing_ok=True)
    assembly = load_study(finished.reference).assemble()
    assert assembly.problem.space.size == finished.outline.space.size
    assert assembly.problem.provenance() == finished.record.provenance


def test_reading_a_study_needs_neither_ray_nor_torch(finished: Study) -> None:
    import subprocess

    code = f"""
import sys
from explorer import load_study
study = load_study({finished.reference!r})
assert len(study.front("area < 200 mm2")) > 0
print(sorted({{"ray", "torch", "plotly", "scipy.stats"}} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_a_place_without_a_study_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no study at"):
        load_study(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []
    Store(f"sqlite:///{tmp_path / 'x.db'}", create=True)
    (tmp_path / "x.db").touch()
    with pytest.raises(InputError, match="holds no studies of rex"):
        load_study(tmp_path / "x.db")


def test_a_study_that_goes_on_reads_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = evaluated(tmp_path, *TRAINED, changes=REPLAYED)
    archive, rows = Archive(source.assemble(check_run=False).problem), list[Evaluation]()
    for evaluation in source.evaluations:
        rows += [evaluation, *archive.add(evaluation)]
    assert any(row.derived_from for row in rows)
    study = rewritten(source, tmp_path, [])
    read = []
    once = Evaluation.from_json
    monkeypatch.setattr(Evaluation, "from_json", lambda row, bits: read.append(row) or once(row, bits))
    for cut in range(0, len(rows), 3):
        study.store.append(study.name, rows[cut : cut + 3])
        study = study.refresh()
        assert study.rows == rows[: cut + 3]
        assert len(study.front()) > 0
    assert len(read) == len(rows), "what was read once is not read again"
    anew = load_study(study.store.url)
    assert [row.number for row in anew.rows] == [row.number for row in study.rows]
    assert anew.rows == study.rows
    assert list(anew.results) == list(study.results)
    assert anew.front().to_json() == study.front().to_json()


def test_a_study_that_was_made_anew_under_its_name_is_read_anew(tmp_path: Path) -> None:
    study = rewritten(evaluated(tmp_path, *TRAINED, changes=REPLAYED), tmp_path)
    other = Study(study.store, replace(study.record, created_at=1.0))
    other.rows.clear()
    assert len(other.refresh().rows) == len(TRAINED)
