from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer import InputError, Study, load_study, run
from explorer.evaluation import Proposal
from explorer.exact_explanation import explain_exact
from explorer.launch import prepare
from tests.explorer.searches import write_search
from tests.explorer.test_explanation import problem

OBJECTIVE = """
from objectives import objective

@objective(direction="minimize", unit="J s")
def product(hardware):
    return hardware.energy_j * hardware.latency_s
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study with one evaluation, one of whose objectives is in a file."""
    (tmp_path / "mine.py").write_text(OBJECTIVE)
    path = write_search(
        tmp_path, ("[accuracy, latency, area]", "['./mine.py:product', area]"), ("fidelity: {epochs: 1}\n", "")
    )
    prepared = prepare(path, store=str(tmp_path / "x.db"))
    prepared.study.store.create(prepared.study.record)
    (proposal, _) = prepared.assembly.initial
    prepared.study.store.append(prepared.study.name, [prepared.problem.evaluate(Proposal(proposal.design))])
    return prepared.study.refresh()


def test_what_is_computed_is_explained_by_the_simulators_whatever_was_evaluated(study: Study) -> None:
    found = study.explain("area")
    assert found.exact
    assert (found.evaluations, len(study.evaluations)) == (4000, 1)
    assert found.to_json() == explain_exact(study.assemble(check_run=False).problem, "area").to_json()
    assert not any("C1" in effect.label for effect in found.effects), "no BN changes the area of a chip"


def test_an_objective_from_a_file_is_explained_as_long_as_the_file_says_the_same(study: Study, tmp_path: Path) -> None:
    assert study.explain("product").exact
    (tmp_path / "mine.py").write_text(OBJECTIVE.replace("* hardware", "+ hardware"))
    with pytest.raises(InputError, match=r"'product' of .* was .* when the study ran, and is .* now"):
        study.explain("product")
    (tmp_path / "mine.py").unlink()
    with pytest.raises(
        InputError, match=r"(?s)put together again, which fails .*cannot read.*Put back what is missing"
    ):
        study.explain("product")


def test_where_limits_the_designs_that_are_looked_at(study: Study) -> None:
    small = study.explain("area", where="reram_layers == 1")
    assert {effect.label for effect in small.effects} >= {"crossbar_size=64"}
    assert not any("reram_layers" in effect.label for effect in small.effects)
    with pytest.raises(InputError, match="no design satisfies all constraints"):
        study.explain("area", where="area < 1 mm2")
    with pytest.raises(InputError, match="where: unknown name 'aera'"):
        study.explain("area", where="aera < 1")


def test_where_of_what_is_trained_cannot_be_asked_of_random_designs(finished: Study) -> None:
    assert finished.explain("latency").exact
    with pytest.raises(InputError, match="where: 'accuracy' is known of evaluated designs only"):
        finished.explain("latency", where="accuracy > 0 and area < 300 mm2")


def test_a_study_of_functions_says_how_to_explain_what_they_compute(ray_cluster: None, tmp_path: Path) -> None:
    study = run(problem(), budget=2, study="chips", store=str(tmp_path / "x.db"))
    with pytest.raises(InputError, match=r"explain_exact\(problem, 'latency'\) with the problem of the study"):
        load_study(study.reference).explain("latency")
    found = explain_exact(problem(), "latency")
    assert np.round([effect.mean for effect in found.effects]).tolist() == [-10, 0, 10]
