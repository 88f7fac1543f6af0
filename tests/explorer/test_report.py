from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from explorer import InputError, Study, load_study, run
from explorer.archive import Archive
from explorer.comparison import compare
from explorer.launch import resume
from explorer.report import _pieces, write_page
from explorer.units import counted
from tests.explorer.searches import write_search


class Page(HTMLParser):
    """Texts, tags and the addresses that a page loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self._inside: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br", "img", "link", "input"):
            self._inside.append(tag)
        self.loads += [value or "" for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self._inside):
            self.texts.append(data)


def written(study: Study, path: Path) -> Page:
    prepared = resume(study.reference)
    archive = Archive(prepared.problem, study.rows)
    comparisons = compare(prepared.problem, archive, prepared.assembly.initial)
    return Page(write_page(study, archive, comparisons, path, prepared.description))


def test_the_page_holds_every_design_of_the_front_and_what_was_searched(finished_copy: Study, tmp_path: Path) -> None:
    page = written(finished_copy, tmp_path / "deep" / "page.html")
    text = " ".join(page.texts).replace("\xa0", " ")
    for point in finished_copy.front():
        assert point.label in text
    for words in ("Pareto front of small", "vgg11 on fashion-mnist", "5 evaluations finished", "accuracy [%] ↑",
                  "area [mm²] ↓", "seed 0", finished_copy.record.provenance["training.images_sha256"]):  # fmt: skip
        assert words in text
    assert page.tags.count("table") >= 1


def test_the_page_says_in_words_where_its_results_come_from(finished_copy: Study, tmp_path: Path) -> None:
    page = written(finished_copy, tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text()
    terms = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html))
    assert terms["study"] == finished_copy.reference
    assert (terms["strategy"], terms["seed"], terms["budget"]) == ("random", "0", "evaluations 5")
    assert terms["deeptrain: assumptions"] == "defaults"
    assert "optimizer sgd, learning rate " in terms["training: recipe"]
    assert len(terms) >= 6 + len(finished_copy.record.provenance)
    assert not any("{" in text for text in page.texts)


def test_a_cell_breaks_between_a_value_and_its_difference_or_between_words_only() -> None:
    assert _pieces("82.87 ± 0.60 (-1.3 points)") == "<span>82.87 ± 0.60</span> <span>(-1.3 points)</span>"
    assert _pieces("84.20 ± 0.13") == "<span>84.20 ± 0.13</span>"
    assert _pieces("random, derived") == "random, derived"
    assert _pieces("1<2 (3)") == "<span>1&lt;2</span> <span>(3)</span>"


def test_the_page_loads_nothing_from_elsewhere(finished_copy: Study, tmp_path: Path) -> None:
    page = written(finished_copy, tmp_path / "page.html")
    assert page.loads == []
    assert not {"link", "iframe", "img", "object", "embed", "base"} & set(page.tags)
    markup = re.sub(r"<script.*?</script>", "", (tmp_path / "page.html").read_text(), flags=re.S)
    assert "url(" not in markup
    assert "@import" not in markup


def test_a_page_that_cannot_be_written_is_one_message(finished_copy: Study, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write the page"):
        written(finished_copy, tmp_path / "file" / "page.html")


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def test_names_are_text_on_the_page_whatever_they_hold(ray_cluster: None, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(
        f"""
from objectives import objective

@objective(direction="minimize", name={EVIL!r}, unit="J")
def evil(hardware):
    return hardware.energy_j
"""
    )
    path = write_search(
        tmp_path, ("[accuracy, latency, area]", "['evil.py:evil', area]"), ("fidelity: {epochs: 1}\n", "")
    )
    study = run(path, store=str(tmp_path / "x.db"))
    page = written(load_study(study.reference), tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text()
    assert "<script>alert" not in html
    assert "<img" not in re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert "img" not in page.tags
    assert EVIL in " ".join(page.texts)


def test_a_search_without_any_design_on_the_front_has_a_page_too(ray_cluster: None, tmp_path: Path) -> None:
    path = write_search(tmp_path, ("area < 400 mm2", "accuracy >= 99 %"), ("{evaluations: 5}", "{evaluations: 2}"))
    study = run(path, store=str(tmp_path / "x.db"), workers=1)
    assert len(study.front()) == 0
    text = " ".join(written(study, tmp_path / "page.html").texts)
    assert "2 evaluations finished" in text
    assert "0 designs on the front" in text


def test_short_evaluations_are_told_from_whole_ones(
    cli: Callable[..., Any], finished_copy: Study, tmp_path: Path
) -> None:
    whole = finished_copy.evaluations[0]
    full = finished_copy.outline.full_fidelity or 0
    finished_copy.store.append(
        finished_copy.name, [replace(whole, fidelity=full + 1)]
    )  # any but the full one is another
    study = finished_copy.refresh()
    words = f"5 of them with all {counted(full, 'epochs')}"
    assert f"6 evaluations finished ({words}), 0 failed" in " ".join(written(study, tmp_path / "page.html").texts)
    assert f"evaluations: 6 of 5, {words}, 0 repeats" in cli("status", study.reference).out
