"""Clusters that are there already, those with a token, and those that are not there; code that Ray brings along."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from explorer import InputError, Workers, load_study
from explorer.workers.connection import connect
from tests.explorer.searches import environment, rex
from tests.explorer.workers.heads import Head, head, without_the_product

ROOT = Path(__file__).parents[3]

CONNECT = """
import ray
from explorer.workers.connection import connect
from explorer.workers.wanted import Workers
try:
    connect(Workers(3))
    print("connected to", ray.get_runtime_context().gcs_address)
except ValueError as error:
    print(type(error).__name__, error)
"""


def connecting(address: str, **more: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", CONNECT], env=environment(RAY_ADDRESS=address, **more), capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_running_cluster_is_joined_when_its_address_is_given(ray_cluster: None) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    assert connecting(address) == f"connected to {address}\n"


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_port_where_nothing_listens_is_one_message(scheme: str) -> None:
    """Ray itself would ask for minutes: this would end in the time limit of the process."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{unused.getsockname()[1]}"
        told = connecting(address)
    assert told.startswith(f"InputError RAY_ADDRESS is {address}, but no Ray cluster can be reached there (")
    assert told.count("\n") == 1
    assert "Connection refused" in told


def test_an_address_that_leads_nowhere_is_one_message() -> None:
    assert connecting("nonsense").startswith("InputError RAY_ADDRESS is nonsense, but no Ray cluster can be reached")


# -- a cluster with a token, whose nodes lack the product ------------------------------------------------------------

SEARCH = """\
name: elsewhere
workload: {network: vgg11, dataset: fashion-mnist}
simulators: [deeptrain, tabulated]
variables: {bn: search, reram_layers: {low: 1, high: 3}, gpu_layers: {low: 1, high: 7}}
objectives: [accuracy, latency]
strategy: random
budget: {evaluations: 4}
workers: {count: 2, working_dir: code}
"""


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a process needs that is to be let in."""
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text("5e" * 32)
    path.chmod(0o600)
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}


@pytest.fixture(scope="module")
def cluster(token: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    python = without_the_product(tmp_path_factory.mktemp("bare"))
    with head(python, **token) as started:
        yield started


@pytest.fixture
def search(tmp_path: Path) -> Path:
    """A search file beside the product's code."""
    for package in ("explorer", "objectives", "simulators"):
        shutil.copytree(ROOT / package, tmp_path / "code" / package, ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "search.yaml"
    path.write_text(SEARCH)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("way", ["address", "client"])
def test_code_comes_to_nodes_that_lack_it_by_the_working_directory(
    cluster: Head, token: dict[str, str], search: Path, way: str
) -> None:
    if way == "client" and importlib.util.find_spec("grpc") is None:
        pytest.skip("Ray's client is not installed (the extra 'cluster')")
    ended = rex("run", search, "--cluster", getattr(cluster, way), "--store", "x.db", cwd=search.parent, **token)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    evaluations = load_study(search.parent / "x.db").evaluations
    assert len(evaluations) >= 4
    assert not any(evaluation.failed for evaluation in evaluations)


@pytest.mark.slow
def test_nodes_that_lack_the_code_are_one_message(cluster: Head, token: dict[str, str], search: Path) -> None:
    search.write_text(SEARCH.replace(", working_dir: code", ""))
    ended = rex("run", search, "--cluster", cluster.address, "--store", "x.db", cwd=search.parent, **token)
    assert ended.returncode == 2
    assert "no worker starts: a node lacks the Python package explorer" in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_without_the_token_nobody_gets_in_and_is_told_what_is_missing(
    cluster: Head, token: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "token"
    other.write_text("0f" * 32)
    ways: list[tuple[str, dict[str, str]]] = [
        (address, given)
        for address in (cluster.address, cluster.client)
        for given in ({"RAY_AUTH_MODE": "disabled"}, {**token, "RAY_AUTH_TOKEN_PATH": str(other)})
    ]
    with ThreadPoolExecutor() as at_once:  # Ray tries for half a minute
        answers = list(at_once.map(lambda way: connecting(way[0], **way[1]), ways))
    for told in answers:
        assert told.startswith("InputError RAY_ADDRESS is ")
        assert told.count("\n") == 1
        assert "but it is no Ray, or lets in nobody without its token; set RAY_AUTH_MODE=token" in told


@pytest.mark.parametrize("address", ["local", "cluster"])
def test_a_token_that_cannot_be_read_is_one_message(address: str, tmp_path: Path) -> None:
    with socket.socket() as door:  # of whatever it is: nobody gets so far
        door.bind(("127.0.0.1", 0))
        door.listen()
        place = address if address == "local" else f"127.0.0.1:{door.getsockname()[1]}"
        told = connecting(place, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(tmp_path / "none"))
    assert told.startswith("InputError Ray has no token to show: RAY_AUTH_TOKEN_PATH is set but file cannot be opened")
    assert "set RAY_AUTH_MODE=token, and put the token that its nodes were started with into" in told
    assert told.count("\n") == 1


def test_a_folder_of_code_that_is_not_there_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"workers.working_dir: there is no folder .*none"):
        connect(Workers(working_dir=str(tmp_path / "none")))


def test_code_for_the_nodes_comes_too_late_once_ray_is_connected(ray_cluster: None, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"workers.working_dir: this process is connected to Ray already, without it"):
        connect(Workers(working_dir=str(tmp_path)))


@pytest.mark.parametrize("failures", [1, 99])
def test_a_head_that_is_busy_is_asked_again_and_then_its_reason_is_told(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a server does that has no time cannot be had on demand: its answer is given here in its place."""
    answers = iter(range(1, 100))

    def init(**_: object) -> None:
        if next(answers) <= failures:
            raise ConnectionAbortedError(
                "Initialization failure from server:\nTraceback (...)\n\nTimeoutError: too slow.\n"
            )

    monkeypatch.setattr("explorer.workers.connection.ray.init", init)
    monkeypatch.setattr("explorer.workers.connection.ray.is_initialized", lambda: False)
    monkeypatch.setattr("explorer.workers.connection.PAUSE_S", 0.0)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        address = f"ray://127.0.0.1:{door.getsockname()[1]}"
        if failures == 1:
            connect(Workers(), address)
            assert next(answers) == 3
        else:
            with pytest.raises(InputError, match=r"\(Initialization failure from server: TimeoutError: too slow\)"):
                connect(Workers(), address)
            assert next(answers) == 4
