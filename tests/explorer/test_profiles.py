"""Launch profiles: each template, filled, is what its reader takes, and keeps its doors closed."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from explorer import InputError
from explorer.cli.app import app
from explorer.profiles import PROFILES, filled, profile_named, settings_of
from explorer.spec import parse_spec, read_search
from tests.explorer.conftest import Outcome
from tests.explorer.searches import write_search

NEEDED = {"kubernetes": {"image": "registry/rex:1", "claim": "studies"}, "gcp": {"project": "mine"}}
NEEDED["aws"] = {"wheel": "dist/reram_explorer-0.1.0-py3-none-any.whl"}
NEEDED["gcp"] |= NEEDED["aws"]
NEEDED["kubernetes-cluster"] = NEEDED["kubernetes"]


def text_of(profile: str, folder: Path, workers: str = "workers: {count: 64, cpus: 2}", **settings: object) -> str:
    path = write_search(folder, ("workers: 1", workers))
    spec = parse_spec(read_search(path, []))
    chosen = profile_named(profile)
    return filled(chosen, settings_of(chosen, spec, str(path), {**NEEDED.get(profile, {}), **settings}))


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_filled_template_has_no_names_left_and_says_workers_and_nodes(profile: str, tmp_path: Path) -> None:
    text = text_of(profile, tmp_path)
    assert "@{" not in text
    if profile.startswith("slurm"):
        assert "#SBATCH --nodes=8\n" in text  # 64 workers of two cores on nodes of sixteen
        assert "--workers 64 " in text
        assert "--gpus-per-node" not in text
        assert "--partition" not in text


@pytest.mark.parametrize("profile", ["slurm", "slurm-symmetric"])
def test_job_scripts_are_good_shell(profile: str, tmp_path: Path) -> None:
    path = tmp_path / "job.sh"
    path.write_text(
        text_of(profile, tmp_path, gpus_per_node=4, partition="gpu", environment="source venv/bin/activate")
    )
    text = path.read_text()
    assert "#SBATCH --gpus-per-node=4\n#SBATCH --time=24:00:00\n#SBATCH --partition=gpu\n" in text
    assert (
        subprocess.run([shutil.which("bash") or "", "-n", str(path)], capture_output=True, check=False).returncode == 0
    )
    if shellcheck := shutil.which("shellcheck"):
        checked = subprocess.run(
            [shellcheck, "--severity=warning", str(path)], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("profile", ["slurm", "slurm-symmetric", "aws", "gcp", "kubernetes", "kubernetes-cluster"])
def test_doors_are_closed(profile: str, tmp_path: Path) -> None:
    """Programs need a token everywhere, and dashboards listen on the loopback, or not at all."""
    text = text_of(profile, tmp_path)
    assert "0.0.0.0" not in text  # noqa: S104  # looked for, not bound to
    starts = [line for line in text.splitlines() if "ray start --head" in line]
    if profile.startswith("kubernetes"):
        assert "authOptions: {mode: token}" in text
        assert "serviceType: ClusterIP" in text
    elif profile.startswith("slurm"):
        assert "RAY_AUTH_MODE=token" in text
        assert "umask 077" in text
        assert "--include-dashboard=false" in text
    else:
        assert starts
        assert all("--dashboard-host=127.0.0.1" in line for line in starts)
        assert all("RAY_AUTH_MODE=token" in line for line in text.splitlines() if "ray start" in line)


@pytest.mark.parametrize("profile", ["aws", "gcp"])
def test_machines_are_what_ray_up_takes(profile: str, tmp_path: Path) -> None:
    config = yaml.safe_load(text_of(profile, tmp_path, wheel="dist/reram_explorer-0.1.0-py3-none-any.whl"))
    validate_config(prepare_config(config))
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    jsonschema.validate(config, schema)
    assert set(config) <= set(schema["properties"])
    head, worker = config["available_node_types"]["head"], config["available_node_types"]["worker"]
    assert head["resources"] == {"CPU": 0}
    assert config["max_workers"] == worker["max_workers"] == 8
    assert worker["min_workers"] == 0
    assert f'"ray[default,client]=={ray.__version__}"' in config["setup_commands"][1]
    assert "/home/ubuntu/reram_explorer-0.1.0-py3-none-any.whl" in config["file_mounts"]
    assert config["file_mounts"]["/home/ubuntu/.ray/auth_token"] == "~/.ray/auth_token"  # noqa: S105  # where it is kept
    spot = worker["node_config"].get("InstanceMarketOptions") or worker["node_config"].get("scheduling")
    assert spot in ({"MarketType": "spot"}, {"preemptible": True})


def schema_of(kind: str) -> Mapping[str, Any]:
    """KubeRay's OpenAPI schema, without leave for fields that it does not know."""
    packed = Path(__file__).parents[1] / "clusters" / "kuberay" / f"ray.io_{kind}.yaml.gz"
    definition = yaml.safe_load(gzip.decompress(packed.read_bytes()))
    (version,) = [v for v in definition["spec"]["versions"] if v["name"] == "v1"]
    return closed(version["schema"]["openAPIV3Schema"])


def closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
        found["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return found


@pytest.mark.parametrize(("profile", "kind"), [("kubernetes", "rayjobs"), ("kubernetes-cluster", "rayclusters")])
@pytest.mark.parametrize("gpus", [0, 2])
def test_kubernetes_objects_are_what_kuberay_takes(profile: str, kind: str, gpus: int, tmp_path: Path) -> None:
    *others, ray_object = yaml.safe_load_all(text_of(profile, tmp_path, gpus_per_node=gpus))
    schema = schema_of(kind)
    jsonschema.validate(ray_object, schema)
    with pytest.raises(jsonschema.ValidationError, match="nonsense"):
        jsonschema.validate({**ray_object, "spec": {**ray_object["spec"], "nonsense": 1}}, schema)
    spec = ray_object["spec"] if kind == "rayclusters" else ray_object["spec"]["rayClusterSpec"]
    assert spec["rayVersion"] == ray.__version__
    (group,) = spec["workerGroupSpecs"]
    assert group["minReplicas"] == 0 < group["maxReplicas"] == 8
    for of_one in (spec["headGroupSpec"], group):
        (container,) = of_one["template"]["spec"]["containers"]
        assert container["image"] == "registry/rex:1"
        assert {"name": "OMP_NUM_THREADS", "value": "1"} in container["env"]
        assert of_one["template"]["spec"]["terminationGracePeriodSeconds"] >= 60
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in of_one["template"]["spec"]["volumes"]}
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits.get("nvidia.com/gpu", "0") == str(gpus)
    if kind == "rayjobs":
        (configuration,) = others
        assert parse_spec(_source(configuration["data"]["search.yaml"], tmp_path)).workers.count == 64
        assert "--store /studies/small.db" in ray_object["spec"]["entrypoint"]


def _source(text: str, folder: Path) -> Any:
    path = folder / "from_kubernetes.yaml"
    path.write_text(text)
    return read_search(path, [])


def test_every_line_of_a_profile_is_a_command_that_rex_takes(tmp_path: Path) -> None:
    """A run line with an option that `rex run` has not would fail on the cluster, hours later."""
    from typer.main import get_command

    run = get_command(app).commands["run"]  # type: ignore[attr-defined]  # of a group
    known = {option for parameter in run.params for option in parameter.opts}
    for name in PROFILES:
        chosen, path = profile_named(name), write_search(tmp_path)
        settings = settings_of(chosen, parse_spec(read_search(path, [])), str(path), NEEDED.get(name, {}))
        lines = [shlex.join(command) for command in chosen.commands(settings, "x")]
        lines += filled(chosen, settings).splitlines()
        runs = [line for line in lines if "rex run" in line and not line.lstrip().startswith("#")]
        assert runs or name == "kubernetes-cluster"
        for line in runs:
            options = {word for word in line.partition("rex run")[2].split() if word.startswith("--")}
            assert options <= known


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["slurn", "search.yaml"], "there is no profile 'slurn' (did you mean 'slurm'?); there are local, "),
        (["slurm", "search.yaml", "--set", "node=3"], "--set node: slurm has no such setting (did you mean 'nodes'?)"),
        (["slurm", "search.yaml", "--set", "nodes=0"], "--set nodes: write 1 or more"),
        (["slurm", "search.yaml", "--set", "partition=a;b"], "--set partition: "),
        (["slurm", "search.yaml", "--set", "store=$HOME/x.db"], "--set store: "),
        (["kubernetes", "search.yaml"], "give it with --set image=...: Container image"),
        (["aws", "none.yaml"], "none.yaml"),
    ],
)
def test_bad_input_is_one_message(
    cli: Callable[..., Outcome], tmp_path: Path, arguments: list[str], words: str
) -> None:
    write_search(tmp_path)
    ended = cli("launch", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""


def test_what_is_printed_can_be_written_and_its_command_is_told(cli: Callable[..., Outcome], tmp_path: Path) -> None:
    write_search(tmp_path)
    printed = cli("launch", "slurm", "search.yaml")
    written = cli("launch", "slurm", "search.yaml", "--out", "job.sh")
    assert (tmp_path / "job.sh").read_text() == printed.out
    assert written.err == "wrote job.sh\nsbatch job.sh\n"
    assert cli("launch", "existing", "search.yaml", "--set", "address=head:6379").out == (
        "rex run search.yaml --resume --store results/small.db --workers 1 --cluster head:6379\n"
    )


def test_submitting_runs_the_profiles_command_or_says_that_it_is_missing(
    cli: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_search(tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    ended = cli("launch", "slurm", "search.yaml", "--submit", "--out", "one.sh")
    assert ended.code == 2
    assert "sbatch is not installed here, which is to run `sbatch one.sh`; one.sh is written" in ended.err
    (programs / "sbatch").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/submitted\nexit 3\n')
    (programs / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.defpath}")
    assert cli("launch", "slurm", "search.yaml", "--submit").code == 3
    assert (tmp_path / "submitted").read_text() == "small.slurm.sh\n"


def test_without_arguments_there_is_a_list_and_for_each_a_guide(cli: Callable[..., Outcome]) -> None:
    listed = cli("launch").out
    assert [line.split()[0] for line in listed.splitlines()] == list(PROFILES)
    for name, profile in PROFILES.items():
        guide = cli("launch", name).out
        assert guide.startswith("# ")
        assert all(f"- `{setting}`" in guide for setting in profile.settings.model_fields)


def test_the_container_has_what_the_repository_builds() -> None:
    text = (Path(__file__).parents[2] / "clusters" / "kubernetes" / "Containerfile").read_text()
    assert "COPY constraints.txt dist/reram_explorer-*.whl" in text
    assert "USER ray" in text


def test_missing_settings_name_what_they_are_for(tmp_path: Path) -> None:
    spec = parse_spec(read_search(write_search(tmp_path), []))
    with pytest.raises(InputError, match=r"wheel: give it with --set wheel=\.\.\.: The wheel of this product"):
        settings_of(profile_named("gcp"), spec, "search.yaml", {})


def settings(profile: str, folder: Path, crew: str, /, **given: object) -> Any:
    path = write_search(folder, ("workers: 1", crew))
    chosen = profile_named(profile)
    return settings_of(chosen, parse_spec(read_search(path, [])), str(path), {**NEEDED.get(profile, {}), **given})


def test_settings_that_look_like_numbers_are_text_where_text_is_asked_for(tmp_path: Path) -> None:
    found = settings("slurm", tmp_path, "workers: 1", workers=3, time_limit=60, partition=5, store=7)
    assert (found.workers, found.time_limit, found.partition, found.store) == ("3", "60", "5", "7")
    with pytest.raises(InputError):
        settings("slurm", tmp_path, "workers: 1", workers="x")


@pytest.mark.parametrize("cpus", ["two", None, 1.5])
def test_cores_that_are_no_whole_number_are_one_message(tmp_path: Path, cpus: object) -> None:
    with pytest.raises(InputError) as caught:
        settings("slurm", tmp_path, "workers: 8", cpus_per_node=cpus)
    assert caught.value.field == "--set cpus_per_node"


@pytest.mark.parametrize(
    ("workers", "given", "nodes"),
    [
        ("workers: {count: 8, gpus: 1}", {"gpus_per_node": 4}, 2),
        ("workers: {count: 8, gpus: 0.5}", {}, 4),
        ("workers: {count: 8, gpus: 2}", {}, 8),
        ("workers: {count: 33, cpus: 2}", {}, 5),
        ("workers: {count: 8, gpus: 1}", {"nodes": 3}, 3),
        ("workers: all", {}, 1),
        ("workers: 8", {"workers": 40}, 3),
    ],
)
def test_there_are_as_many_nodes_as_workers_need_of_cores_and_of_gpus(
    tmp_path: Path, workers: str, given: dict[str, object], nodes: int
) -> None:
    found = settings("slurm", tmp_path, workers, **given)
    assert found.nodes == nodes
    if "gpus" in workers:
        assert found.gpus_per_node >= 1, "asked for without being told"


@pytest.mark.parametrize(
    ("workers", "given", "field"),
    [
        ("workers: {count: 2, gpus: 1}", {"gpus_per_node": 0}, "--set gpus_per_node"),
        ("workers: {count: 2, cpus: 32}", {}, "--set cpus_per_node"),
    ],
)
def test_nodes_that_are_too_small_for_a_worker_are_told(
    tmp_path: Path, workers: str, given: dict[str, object], field: str
) -> None:
    with pytest.raises(InputError, match="give nodes that are large enough") as caught:
        settings("slurm", tmp_path, workers, **given)
    assert caught.value.field == field


@pytest.mark.parametrize("wheel", ["dist/reram_explorer.whl", "other-1.0-py3-none-any.whl"])
def test_a_wheel_has_a_name_that_pip_takes(tmp_path: Path, wheel: str) -> None:
    with pytest.raises(InputError) as caught:
        settings("aws", tmp_path, "workers: 1", wheel=wheel)
    assert caught.value.field == "--set wheel"


def test_files_of_the_user_s_own_that_stay_behind_are_told(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[accuracy, 'mine.py:own']"))
    ended = cli("launch", "aws", str(path), "--set", f"wheel={NEEDED['aws']['wheel']}")
    assert ended.code == 0, ended.err
    assert "mine.py: named by the search, but not taken along" in ended.err
    assert "with this in small.aws.yaml:\nray up --yes small.aws.yaml" in ended.err, "not the search file's name"
    assert "mine.py" not in cli("launch", "slurm", str(path)).err


def test_a_profile_that_is_a_command_writes_no_file(cli: Callable[..., Any], tmp_path: Path) -> None:
    ended = cli("launch", "local", str(write_search(tmp_path)), "--out", "x.sh")
    assert ended.code == 2
    assert "rex: --out: local is a command, there is nothing to write" in ended.err


def test_a_second_try_to_submit_takes_what_the_first_wrote(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to submit it with is there: that is what fails each time."""
    monkeypatch.setenv("PATH", str(tmp_path))
    path = write_search(tmp_path)
    options = ("launch", "kubernetes", str(path), "--set", "image=registry/rex:1", "--set", "claim=studies", "--submit")
    first = cli(*options)
    assert first.code == 2
    assert "kubectl is not installed here" in first.err
    assert "kubectl is not installed here" in cli(*options).err
    written = tmp_path / "small.kubernetes.yaml"
    written.write_text("mine")
    assert "is there already" in cli(*options).err
    assert written.read_text() == "mine"
