"""``rex plot``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer import Study
from explorer.cli.plot import KindName
from explorer.plots.kinds import KINDS
from tests.explorer.studies import REPLAYED, TRAINED, evaluated


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return evaluated(tmp_path_factory.mktemp("replayed"), *TRAINED, changes=REPLAYED)


def test_the_command_offers_every_kind_and_says_what_it_shows(cli: Callable[..., Any]) -> None:
    assert [name.value for name in KindName] == list(KINDS)
    told = cli("plot", "--help").out
    assert all(f"{kind}:" in told for kind in KINDS)


def test_a_picture_is_a_page_or_a_vector_graphic(cli: Callable[..., Any], replayed: Study, tmp_path: Path) -> None:
    ended = cli("plot", replayed.reference, "--kind", "pairs", "--out", "pairs.html", "--where", "cell_bits == 2")
    assert (ended.code, ended.out) == (0, "")
    assert "wrote pairs.html" in ended.err
    page = (tmp_path / "pairs.html").read_text()
    assert "<title>small: pairs</title>" in page
    assert "src=" not in page.partition("<body>")[0], "it works offline"
    for name in ("p.svg", "p.pdf", "p.PNG"):
        assert cli("plot", replayed.reference, "--kind", "placements", "--out", name).code == 0
        assert (tmp_path / name).stat().st_size > 1000
    ended = cli(
        "plot", replayed.reference, "--kind", "breakdown", "--design", "1", "--design", "bn=none", "--out", "b.html"
    )
    assert ended.code == 0
    ended = cli("plot", replayed.reference, "--kind", "convergence", "--over", "time", "--out", "c.svg")
    assert "time since the beginning [h]" in (tmp_path / "c.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "pairs", "--out", "p.jpg"], "rex: --out: p.jpg ends with none of .html, .svg, .pdf, .png"),
        (["--kind", "parallel", "--out", "p.svg"], "for papers there are pairs, convergence, placements"),
        (["--kind", "pairs", "--out", "no/p.svg"], "cannot write no/p.svg"),
        (["--kind", "pairs", "--out", "p.svg", "--where", "aera < 3"], "rex: --where: unknown name 'aera'"),
        (["--kind", "pairs", "--out", "p.svg", "--where", "area < 3"], "the front is empty"),
        (["--kind", "pair", "--out", "p.svg"], "--kind"),
        (
            ["--kind", "attainment", "--objectives", "area", "--out", "p.html"],
            "rex: --objectives: ",
        ),
        (["--kind", "breakdown", "--design", "99", "--out", "p.html"], "99"),
    ],
)
def test_pictures_that_cannot_be_drawn_end_with_code_2_and_leave_nothing(
    cli: Callable[..., Any], replayed: Study, tmp_path: Path, arguments: list[str], words: str
) -> None:
    ended = cli("plot", replayed.reference, *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert not list(tmp_path.iterdir())


def test_a_picture_is_never_written_over_a_file(cli: Callable[..., Any], replayed: Study, tmp_path: Path) -> None:
    (tmp_path / "p.svg").write_text("mine")
    ended = cli("plot", replayed.reference, "--kind", "pairs", "--out", "p.svg")
    assert ended.code == 2
    assert (tmp_path / "p.svg").read_text() == "mine"


def test_a_report_is_one_page(cli: Callable[..., Any], replayed: Study, tmp_path: Path) -> None:
    ended = cli("report", replayed.reference)
    assert (ended.code, ended.out) == (0, "")
    assert "wrote small.report.html" in ended.err
    page = (tmp_path / "small.report.html").read_text()
    assert "Pareto front of small" in page
    assert " src=" not in page.split('<script type="application/json"')[0].split("plotly.js")[0], "it works offline"
    ended = cli("report", replayed.reference)
    assert ended.code == 2
    assert "is there already" in ended.err
    ended = cli("report", replayed.reference, "--out", "page.pdf")
    assert ended.code == 2
    assert "rex: --out: page.pdf does not end with .html" in ended.err


def test_a_study_that_has_only_begun_has_a_page(cli: Callable[..., Any], tmp_path: Path) -> None:
    begun = evaluated(tmp_path, changes=REPLAYED)
    assert cli("report", begun.reference, "--out", "begun.html").code == 0
    assert "The front is empty: nothing finished yet." in (tmp_path / "begun.html").read_text()
