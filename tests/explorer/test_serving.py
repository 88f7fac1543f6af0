"""The server of a study's page, asked over HTTP."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from explorer import Study
from explorer.serving import is_loopback
from tests.explorer.page.browsers import browser, why_none
from tests.explorer.searches import HUNG_S, REX, environment
from tests.explorer.studies import REPLAYED, TRAINED, evaluated, rewritten

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return evaluated(tmp_path_factory.mktemp("source"), *TRAINED, changes=REPLAYED)


@contextmanager
def serving(study: Study, *options: str, **more: str) -> Iterator[str]:
    """The address of ``rex serve`` of a study, as it prints it."""
    process = subprocess.Popen(
        [str(REX), "serve", study.reference, "--port", "0", *options], env=environment(**more), text=True,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr
        line = process.stderr.readline()
        found = re.search(r" is at (http://\S+) ", line)
        assert found, line + process.stderr.read()
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=HUNG_S)
    assert process.returncode == 0


def ask(address: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of an answer."""
    request = urllib.request.Request(address, method=method, headers=headers)  # noqa: S310  # our own
    try:
        answer = urllib.request.urlopen(request, timeout=60)  # noqa: S310  # our own
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        named = {name.lower(): value for name, value in answer.headers.items()}
        return int(answer.status or 0), named, answer.read().decode()


def test_the_server_gives_the_page_and_what_is_new(source: Study, tmp_path: Path) -> None:
    study = rewritten(source, tmp_path, source.rows[:2])
    with serving(study) as address:
        assert address.startswith("http://127.0.0.1:")
        status, headers, page = ask(address)
        assert status == 200
        assert "Pareto front of small" in page
        assert (
            "default-src 'none'" in headers["Content-Security-Policy"]
            if "Content-Security-Policy" in headers
            else headers["content-security-policy"]
        )
        status, _, text = ask(f"{address}data.json?known=0")
        assert status == 200
        found = json.loads(text)
        assert len(found["designs"]["label"]) == 2
        assert ask(f"{address}data.json?known={found['version']}")[0] == 204
        study.store.append(study.name, source.rows[2:4])
        status, _, text = ask(f"{address}data.json?known={found['version']}")
        assert status == 200
        assert len(json.loads(text)["designs"]["label"]) == len({row.design for row in source.rows[:4]})
        assert json.loads(text)["version"] != found["version"]


def test_nobody_writes_and_other_names_are_not_answered(source: Study) -> None:
    with serving(source) as address:
        for method in ("POST", "PUT", "DELETE"):
            assert ask(address, method)[0] == 405
        assert ask(f"{address}../x.db")[0] == 404
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
            status, _, text = ask(address, Host=host)
            assert status == 421, host
            assert "Pareto" not in text
        port = address.rstrip("/").rpartition(":")[2]
        for host in (f"localhost:{port}", f"[::1]:{port}", "LOCALHOST"):
            assert ask(address, Host=host)[0] == 200, host
    with serving(source, "--name", "tunnel.example") as address:
        assert ask(address, Host="tunnel.example")[0] == 200


def test_beyond_loopback_there_is_a_token(source: Study) -> None:
    with serving(source, "--host", "0.0.0.0", REX_SERVE_TOKEN="sesame") as address:  # noqa: S104, S106  # with a token; of the test
        assert address.endswith("/?token=sesame")
        port = re.search(r":(\d+)/", address)
        assert port
        here = f"http://127.0.0.1:{port[1]}/"
        for way in (here, f"{here}?token=open", f"{here}data.json", f"{here}?token="):
            status, _, text = ask(way)
            assert status == 401, way
            assert "Pareto" not in text
        assert ask(f"{here}?token=sesame")[0] == 200
        assert ask(f"{here}data.json?known=x", Authorization="Bearer sesame")[0] == 200
        assert ask(f"{here}data.json?known=x", Authorization="Bearer sesam")[0] == 401
        assert ask(f"{here}?token=sesame", Host="evil.example")[0] == 421
    with serving(source, "--host", "0.0.0.0") as address:  # noqa: S104  # with a token
        token = address.partition("?token=")[2]
        assert len(token) >= 32


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),  # noqa: S104  # looked at
     ("10.0.0.1", False), ("localhost.evil.example", False), ("", False)],
)  # fmt: skip
def test_what_is_of_this_machine_alone(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_a_port_that_is_taken_and_a_host_that_is_not_there_are_one_message(
    cli: Callable[..., Any], source: Study
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = cli("serve", source.reference, "--port", str(taken.getsockname()[1]))
    assert ended.code == 2
    assert ended.err.startswith("rex: --port: cannot listen at 127.0.0.1:")
    ended = cli("serve", source.reference, "--host", "nowhere.invalid")
    assert ended.code == 2
    assert "cannot listen at nowhere.invalid:8420" in ended.err
    assert cli("serve", "none.db").code == 2


@pytest.mark.skipif(bool(why_none()), reason=why_none())
def test_a_live_page_shows_a_new_point_within_seconds(source: Study, tmp_path: Path) -> None:
    study = rewritten(source, tmp_path, source.rows[:1])
    from playwright.sync_api import expect

    with serving(study) as address, browser() as chromium:
        said: list[str] = []
        page: Page = chromium.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.goto(address)
        rows = page.locator("#body tr")
        expect(rows).to_have_count(1, timeout=1000 * HUNG_S)
        page.get_by_label("also dominated ones").check()
        began = time.monotonic()
        study.store.append(study.name, source.rows[1:3])
        expect(rows).not_to_have_count(1, timeout=1000 * HUNG_S)
        took_s = time.monotonic() - began
        assert page.get_by_label("also dominated ones").is_checked(), "the view stays as it was"
        expect(page.locator("#live")).to_have_text("live")
    assert took_s < 30, "three seconds on a machine that is not shared"
    assert not said
