"""The page of a study in a real browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from explorer import Study
from explorer.archive import Archive
from explorer.fronts import front_of
from explorer.page import rendered, report_page
from explorer.page.contents import Contents
from tests.explorer.page.browsers import browser, why_none
from tests.explorer.page.synthetic import settled, slide, synthetic
from tests.explorer.studies import REPLAYED, TRAINED, evaluated

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(bool(why_none()), reason=why_none())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = evaluated(tmp_path_factory.mktemp("page"), *TRAINED, changes=REPLAYED)
    archive = Archive(study.assemble(check_run=False).problem)
    for evaluation in study.evaluations:
        study.store.append(study.name, archive.add(evaluation))
    return study.refresh()


@pytest.fixture(scope="module")
def address(study: Study, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(study), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def opened(chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page, offline, in a window of some width; whatever it says on the console is a failure."""
    contexts, said = [], list[str]()

    def open_page(fragment: str = "", width: int = 1400, url: str = address) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 1000}, offline=True, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url + fragment)
        page.wait_for_function("document.body.dataset.updateMs !== undefined")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not said


def labels(page: Page) -> list[str]:
    """Designs of the table."""
    return page.locator("#body tr td:first-child").all_inner_texts()


def row_of(study: Study, label: str) -> tuple[float, ...]:
    """The objectives of a design."""
    (point,) = [point for point in study.results if point.label == label]
    return tuple(point.values[objective.name] for objective in study.outline.objectives)


def points(page: Page, panel: int) -> list[tuple[float, float]]:
    """Where the designs of the front are on the screen, in a panel."""
    found = page.evaluate(
        """(number) => {
            const panel = shownPanels[number], box = $("pairs").getBoundingClientRect(), x = panel.x, y = panel.y;
            return front.map((i) => [box.left + across(panel, x.values[i]), box.top + up(panel, y.values[i])]);
        }""",
        panel,
    )
    return [tuple(place) for place in found]


def test_the_page_shows_the_front_and_says_so_in_words(opened: Callable[..., Page], study: Study) -> None:
    page, front = opened(), study.front()
    assert page.title() == "Pareto front of small"
    assert page.locator("#count").inner_text() == f"{len(front)} designs on the front of {len(study.results)}"
    assert sorted(labels(page)) == sorted(point.label for point in front)
    assert labels(page)[0] == front.sorted_by("accuracy")[0].label, "best first"
    assert "The design that one would miss most" in page.locator("#summary").inner_text()
    first = page.locator("#body tr").first.locator("td").all_inner_texts()
    assert float(first[1]) == pytest.approx(100 * front.sorted_by("accuracy")[0].values["accuracy"], rel=1e-3)
    assert page.locator(".plotly-graph-div").count() >= 2
    page.locator("summary").click()
    assert "strategy:" in page.locator("details pre").inner_text()


def test_sliders_move_the_front(opened: Callable[..., Page], study: Study) -> None:
    page = opened()
    slide(page, "latency [µs] ↓, from", 300)
    values = [point.values["latency"] for point in study.results]
    least = min(values) + 0.3 * (max(values) - min(values))
    inside = [point for point in study.results if point.values["latency"] >= least]
    best = front_of(study.outline, inside)
    assert set(labels(page)) <= {point.label for point in inside}
    assert {row_of(study, label) for label in labels(page)} == {tuple(row) for row in best.matrix.tolist()}
    assert "within 1 limit" in page.locator("#count").inner_text()
    page.get_by_role("button", name="no limits").click()
    settled(page)
    assert len(labels(page)) == len(study.front())


def test_a_choice_is_limited_to_its_values(opened: Callable[..., Page], study: Study) -> None:
    page = opened()
    slide(page, "crossbar size, to", 0)
    shown = labels(page)
    assert shown
    assert all("64x64" in label for label in shown)


def test_dragging_a_box_limits_plots_sliders_and_table_alike(opened: Callable[..., Page]) -> None:
    page = opened()
    box = page.locator("#pairs").bounding_box()
    assert box
    place = points(page, 0)
    left, top = min(place, key=lambda point: point[0])
    inside = [point for point in place if abs(point[0] - left) < 12 and abs(point[1] - top) < 12]
    page.mouse.move(left - 12, top - 12)
    page.mouse.down()
    page.mouse.move(left + 12, top + 12, steps=4)
    page.mouse.up()
    settled(page)
    assert "within 2 limits" in page.locator("#count").inner_text()
    assert len(inside) > 0
    assert page.locator("output.limited").count() == 2
    limits = page.evaluate("state.limits")
    assert set(limits) == {"accuracy", "latency"}
    values = page.locator("#body tr td:nth-child(2)").all_inner_texts()
    assert all(limits["accuracy"][0] - 0.01 <= float(text) <= limits["accuracy"][1] + 0.01 for text in values)
    page.mouse.dblclick(left, top)
    settled(page)
    assert page.evaluate("Object.keys(state.limits).length") == 0


def test_an_axis_is_limited_by_dragging_along_it(opened: Callable[..., Page]) -> None:
    page = opened()
    page.locator("#parallel").scroll_into_view_if_needed()
    box = page.locator("#parallel").bounding_box()
    assert box
    x = box["x"] + page.evaluate("axisPlace(2)")
    page.mouse.move(x, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 150, steps=4)
    page.mouse.up()
    settled(page)
    assert page.evaluate("Object.keys(state.limits)") == ["area"]


def test_a_design_is_chosen_in_the_plot_and_in_the_table_and_shows_where_its_energy_goes(
    opened: Callable[..., Page], study: Study
) -> None:
    page = opened()
    x, y = points(page, 0)[0]
    page.mouse.click(x, y)
    settled(page)
    chosen = page.locator("#chosen")
    assert chosen.is_visible()
    label = chosen.locator("h3").inner_text()
    assert label in [point.label for point in study.front()]
    assert page.locator("tr.chosen td:first-child").inner_text() == label
    assert "energy [" in chosen.inner_text()
    assert chosen.locator(".bar").count() > 10
    row = page.locator("#body button").last
    row.click()
    settled(page)
    assert page.locator("#chosen h3").inner_text() == row.inner_text()
    assert row.get_attribute("aria-pressed") == "true"


def test_the_address_keeps_the_view(opened: Callable[..., Page]) -> None:
    page = opened()
    slide(page, "area [mm²] ↓, to", 500)
    page.get_by_role("button", name="latency [µs] ↓").click()
    settled(page)
    page.locator("#body button").nth(1).click()
    settled(page)
    fragment = "#" + page.url.partition("#")[2]
    again = opened(fragment)
    settled(again)
    assert labels(again) == labels(page)
    one, other = (found.evaluate("state") for found in (page, again))
    assert other.pop("limits")["area"] == pytest.approx(one.pop("limits")["area"])
    assert other == one
    assert again.locator("#chosen h3").inner_text() == page.locator("#chosen h3").inner_text()
    strange = opened("#area=x..y&nonsense=1..2&design=%E0%A4%A&sort=<b>")
    assert len(labels(strange)) > 0


def test_the_selection_is_exported(opened: Callable[..., Page], study: Study) -> None:
    page = opened("#crossbar_size=0..0")
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV of these designs").click()
    assert download.value.suggested_filename == "small.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [row["design"] for row in rows] == labels(page)
    known = {point.label: point for point in study.results}
    for row in rows:
        assert float(row["latency"]) == known[row["design"]].values["latency"], "SI, to the last digit"
        assert row["crossbar_size"].startswith("64")
        assert row["bn"] == str(known[row["design"]].design["bn"])


def test_dominated_designs_are_listed_when_they_are_asked_for(opened: Callable[..., Page], study: Study) -> None:
    page = opened()
    page.get_by_label("also dominated ones").check()
    settled(page)
    assert len(labels(page)) == len(study.results)


def test_columns_are_sorted_by_a_click_and_by_keys(opened: Callable[..., Page]) -> None:
    page = opened()
    button = page.get_by_role("button", name="area [mm²] ↓")
    button.focus()
    page.keyboard.press("Enter")
    settled(page)
    column = [float(text) for text in page.locator("#body tr td:nth-child(4)").all_inner_texts()]
    assert column == sorted(column)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") in ("BUTTON", "INPUT")
    page.get_by_role("button", name="area [mm²] ↓").click()
    settled(page)
    column = [float(text) for text in page.locator("#body tr td:nth-child(4)").all_inner_texts()]
    assert column == sorted(column, reverse=True)
    assert page.locator("th[aria-sort=descending]").count() == 1


def test_everything_that_can_be_used_has_a_name_and_a_narrow_window_shows_all(opened: Callable[..., Page]) -> None:
    page = opened(width=420)
    for control in page.locator("button, input, canvas, [role=region]").all():
        named = (
            control.get_attribute("aria-label")
            or control.inner_text()
            or control.evaluate("e => e.labels?.[0]?.innerText")
        )
        assert named
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.locator("#pairs").bounding_box()["width"] <= 420  # type: ignore[index]  # it is there


def test_what_was_dominated_comes_to_the_front_when_what_is_better_is_ruled_out(
    opened: Callable[..., Page], tmp_path: Path
) -> None:
    page = opened(url=synthetic(tmp_path, np.array([[1.0, 1.0], [0.5, 0.5], [0.2, 0.4], [0.5, 0.5]])))
    assert labels(page) == ["design 0"]
    slide(page, "o0 ↑, to", 900)
    assert labels(page) == ["design 1"], "of equal ones the first"
    slide(page, "o0 ↑, to", 100)
    assert labels(page) == ["design 2"]
    slide(page, "o1 ↑, from", 900)
    assert labels(page) == []
    assert page.locator("#count").inner_text() == "0 designs on the front of 0 within 2 limits, of 4"


@pytest.mark.parametrize("rows", [[[1.0, 2.0]], [[1.0], [2.0]], [[0.0, 0.0], [0.0, 0.0]], np.empty((0, 3))])
def test_pages_of_one_design_one_objective_and_none_are_shown(
    opened: Callable[..., Page], tmp_path: Path, rows: Any
) -> None:
    values = np.array(rows, dtype=np.float64)
    page = opened(url=synthetic(tmp_path, values))
    assert len(labels(page)) == min(1, len(values))


def test_words_of_a_study_are_never_taken_for_html(opened: Callable[..., Page], tmp_path: Path) -> None:
    evil = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
    designs = {
        "label": [evil], "feasible": [1], "derived": [0], "strategy": [evil], "evaluation": [1], "bits": [],
        "axes": [{"name": evil, "title": evil, "better": 1, "values": [1.0]}],
    }  # fmt: skip
    path = tmp_path / "evil.html"
    path.write_text(rendered(Contents(evil, evil, [evil], designs, None, "0")), encoding="utf-8")
    page = opened(url=path.as_uri())
    assert labels(page) == [evil]
    assert page.title() == evil
    assert page.locator("img").count() == 0


def test_ten_thousand_designs_follow_a_slider(opened: Callable[..., Page], tmp_path: Path) -> None:
    """How fast they do is measured by a benchmark."""
    direction = np.abs(np.random.default_rng(0).normal(size=(10_000, 4)))
    values = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    page = opened(url=synthetic(tmp_path, values))
    slide(page, "o1 ↑, from", 500)
    inside = values[:, 1] >= values[:, 1].min() + 0.5 * np.ptp(values[:, 1])
    assert page.evaluate("front.length") == int(inside.sum()), "none dominates another"
    assert len(labels(page)) == 200
    assert page.locator("#more").inner_text() == f"and {inside.sum() - 200} more: the CSV has all of them"
