"""Launch profiles: templates of ``clusters/`` filled for a search, and the commands that submit them.

A template is a file as its reader expects it, with ``@{name}`` where a setting belongs; a line with a setting that is
not given is left out. Everything that follows from the search file, such as the number of workers, is a default.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.spec import SearchSpec
from explorer.spec.sections import WorkerSpec
from simulators.protocol import InputError, field_path, plain_words, suggestion

__all__ = ["PROFILES", "Profile", "filled", "left_behind", "profile_named", "settings_of"]

PLACEHOLDER = re.compile(r"@\{(\w+)\}")
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$")]
"""Text that means itself in shell and YAML."""
Place = Annotated[str, Field(pattern=r"^[\w./:@+=,?&~-][\w ./:@+=,?&~-]*$")]
"""A path or URL between quotes."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)  # a time limit of 60

    study: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$")] = Field(
        description="Name of the job or cluster: small letters, digits and -; by default the search's."
    )
    search: Place = Field(description="The search file.")
    store: Place = Field(description="File on a shared disk, or URL of a database.")
    workers: Annotated[str, Field(pattern=r"^(all|[1-9][0-9]*)$")] = Field(
        "all", description="Number of workers, or 'all': wherever there is room."
    )

    def values(self) -> dict[str, str | None]:
        """What the template's names stand for; None leaves a line out."""
        return {name: None if value in ("", 0) else str(value) for name, value in self}


class _Here(_Settings):
    address: Word = Field(
        "auto", description="HOST:PORT or ray://HOST:PORT of the cluster; 'auto' on one of its nodes."
    )


class _Nodes(_Settings):
    nodes: int = Field(1, ge=1, description="Nodes, or at most so many where they come and go.")
    cpus_per_node: int = Field(16, ge=1, description="Cores of each.")
    gpus_per_node: int = Field(0, ge=0, description="GPUs of each.")


class _Slurm(_Nodes):
    time_limit: Word = Field("24:00:00", description="Longest time of a job; the search goes on in the next one.")
    partition: Annotated[str, Field(pattern=r"^[\w,.-]*$")] = Field(
        "", description="Partition; empty: the default one."
    )
    environment: str = Field(
        "", description="A line of shell that makes rex known to the nodes, such as 'source venv/bin/activate'."
    )


class _Machines(_Nodes):
    wheel: Annotated[Place, Field(pattern=r"(^|/)reram_explorer-[^/]+\.whl$")] = Field(
        description="The wheel of this product, dist/reram_explorer-....whl: python -m build --wheel makes it."
    )
    region: Word = Field(description="Where the machines are.")
    head_type: Word = Field(description="Machine type of the head.")
    worker_type: Word = Field(description="Machine type of workers; cpus_per_node says how many cores it has.")

    def values(self) -> dict[str, str | None]:
        return {**super().values(), "wheel_name": Path(self.wheel).name}


class _Aws(_Machines):
    region: Word = Field("us-west-2", description="Where the machines are.")
    head_type: Word = Field("m6i.xlarge", description="Machine type of the head.")
    worker_type: Word = Field("c6i.4xlarge", description="Machine type of workers, with cpus_per_node cores.")


class _Gcp(_Machines):
    region: Word = Field("us-central1", description="Where the machines are.")
    zone: Word = Field("us-central1-a", description="Zone in that region.")
    project: Word = Field(description="Your project.")
    head_type: Word = Field("n2-standard-4", description="Machine type of the head.")
    worker_type: Word = Field(
        "n2-standard-16", description="Machine type of workers; cpus_per_node says how many cores."
    )
    image: Word = Field(
        "projects/deeplearning-platform-release/global/images/family/common-cpu",
        description="System image with Python.",
    )


class _Kubernetes(_Nodes):
    image: Word = Field(description="Container image: clusters/kubernetes/Containerfile.")
    claim: Word = Field(description="Volume claim, ReadWriteMany, where studies and checkpoints are kept.")
    memory_per_node: Word = Field("32Gi", description="Memory of each worker's pod.")

    def values(self) -> dict[str, str | None]:
        limits = {"cpu": f'"{self.cpus_per_node}"', "memory": self.memory_per_node}
        if self.gpus_per_node:
            limits["nvidia.com/gpu"] = f'"{self.gpus_per_node}"'
        listed = ", ".join(f"{name}: {amount}" for name, amount in limits.items())
        text = Path(self.search).read_text(encoding="utf-8")
        values = {**super().values(), "limits": f"{{{listed}}}", "most_nodes": str(self.nodes)}
        values["ray_version"] = version("ray")
        values["search_text"] = _indented(text, 4)
        return values


Commands = Callable[[Any, str], list[list[str]]]


@dataclass(frozen=True)
class Profile:
    """A way to launch a search.

    Args:
        name: of the profile.
        summary: what it is, in a line.
        settings: what can be set.
        template: file below ``clusters/``; empty where a command does it all.
        commands: that submit it, of the settings and the filled template's file.
    """

    name: str
    summary: str
    settings: type[_Settings]
    template: str
    commands: Commands

    @property
    def guide(self) -> str:
        """What to read about it."""
        folder = self.template.partition("/")[0] or self.name
        return (files("clusters") / folder / "README.md").read_text(encoding="utf-8")


def _run(settings: _Settings, *more: str) -> list[str]:
    run = ["rex", "run", settings.search, "--resume", "--store", settings.store, "--workers", settings.workers]
    return [*run, *more]


PATIENCE = ("--set", "workers.patience_s=900")
"""Machines are started when workers are asked for."""


def _on_machines(settings: _Machines, file: str) -> list[list[str]]:
    there = settings.model_copy(update={"search": "search.yaml"})
    search = shlex.join(_run(there, "--cluster", "auto", *PATIENCE))
    return [
        ["ray", "up", "--yes", file],
        ["ray", "rsync-up", file, settings.search, "/home/ubuntu/search.yaml"],
        ["ray", "exec", "--tmux", file, f"RAY_AUTH_MODE=token {search}"],
    ]


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("local", "Ray on this machine", _Settings, "", lambda s, _: [_run(s, "--cluster", "local")]),
        Profile("existing", "a Ray cluster that runs already", _Here, "",
                lambda s, _: [_run(s, "--cluster", s.address)]),
        Profile("slurm", "a Slurm job: Ray's head on its first node, a Ray node on each", _Slurm,
                "slurm/head_and_workers.sh", lambda _, file: [["sbatch", file]]),
        Profile("slurm-symmetric", "a Slurm job with ray symmetric-run: the same command on every node", _Slurm,
                "slurm/symmetric_run.sh", lambda _, file: [["sbatch", file]]),
        Profile("aws", "virtual machines of AWS, spot workers that come and go", _Aws, "aws/cluster.yaml",
                _on_machines),
        Profile("gcp", "virtual machines of Google Cloud, spot workers that come and go", _Gcp, "gcp/cluster.yaml",
                _on_machines),
        Profile("kubernetes", "a KubeRay RayJob: a cluster for one search", _Kubernetes, "kubernetes/ray_job.yaml",
                lambda _, file: [["kubectl", "apply", "--filename", file]]),
        Profile("kubernetes-cluster", "a KubeRay RayCluster that stays", _Kubernetes, "kubernetes/ray_cluster.yaml",
                lambda _, file: [["kubectl", "apply", "--filename", file]]),
    )
}  # fmt: skip


def profile_named(name: str) -> Profile:
    """The profile of a name.

    Raises:
        InputError: there is none.
    """
    if name not in PROFILES:
        raise InputError(f"there is no profile '{name}'{suggestion(name, PROFILES)}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def settings_of(profile: Profile, spec: SearchSpec, search: str, given: Mapping[str, object]) -> Any:
    """A profile's settings for a search.

    Args:
        profile: the profile.
        spec: of the search.
        search: its file.
        given: settings that are not to be the defaults.

    Raises:
        InputError: a setting that there is not, that is missing, or whose value is not allowed.
    """
    crew = spec.workers
    workers = {} if crew.count == "all" else {"workers": str(crew.count)}
    study = re.sub(r"[^a-z0-9]+", "-", spec.name.lower()).strip("-") or "search"
    shared = "/studies" if issubclass(profile.settings, _Kubernetes) else "results"
    store = spec.store or f"{shared}/{spec.name}.db"
    values: dict[str, object] = {"study": study, "search": search, "store": store, **workers}
    if crew.gpus and issubclass(profile.settings, _Nodes):
        values["gpus_per_node"] = math.ceil(crew.gpus)
    try:
        settings = profile.settings.model_validate({**values, **given})
        return _with_nodes(settings, crew, given) if isinstance(settings, _Nodes) else settings
    except ValidationError as error:
        detail = error.errors()[0]
        name = field_path(detail, profile.settings)
        if detail["type"] == "extra_forbidden":
            near = suggestion(name, profile.settings.model_fields)
            raise InputError(f"{profile.name} has no such setting{near}", f"--set {name}") from None
        if detail["type"] == "missing":
            meaning = profile.settings.model_fields[name].description
            raise InputError(f"give it with --set {name}=...: {meaning}", name) from None
        raise InputError(plain_words(detail, profile.settings), f"--set {name}") from None


def _with_nodes(settings: _Nodes, crew: WorkerSpec, given: Mapping[str, object]) -> _Nodes:
    """As many nodes as the workers need, unless their number is given.

    Raises:
        InputError: not a single worker has room on a node.
    """
    places = [math.floor(settings.cpus_per_node / crew.cpus)] if crew.cpus else []
    places += [math.floor(settings.gpus_per_node / crew.gpus)] if crew.gpus else []
    fit = min(places, default=settings.cpus_per_node)
    if fit < 1:
        raise InputError(
            f"a worker of this search takes {crew.cpus:g} cores and {crew.gpus:g} GPUs, a node has "
            f"{settings.cpus_per_node} and {settings.gpus_per_node}; give nodes that are large enough",
            "--set cpus_per_node" if places[0] < 1 else "--set gpus_per_node",
        )
    if "nodes" in given or settings.workers == "all":
        return settings
    return settings.model_copy(update={"nodes": math.ceil(int(settings.workers) / fit)})


def left_behind(profile: Profile, spec: SearchSpec) -> list[str]:
    """Files that a search names and that a profile does not take to where it runs."""
    if not issubclass(profile.settings, _Machines | _Kubernetes):
        return []
    return list(dict.fromkeys(name.partition(":")[0] for name in spec.user_names))


def filled(profile: Profile, settings: _Settings) -> str:
    """A profile's template with its settings; empty if it has none.

    Raises:
        InputError: the search file cannot be read.
    """
    if not profile.template:
        return ""
    values = {"most_nodes": None, "ray_version": version("ray"), **settings.values()}
    if isinstance(settings, _Nodes):
        values["most_nodes"] = str(settings.nodes)
    if isinstance(settings, _Kubernetes):
        depth = 4 if profile.name == "kubernetes" else 2
        values["groups"] = _indented(_fill(_template("kubernetes/groups.yaml"), values), depth)
    return _fill(_template(profile.template), values)


def _template(path: str) -> str:
    return files("clusters").joinpath(*path.split("/")).read_text(encoding="utf-8")


def _fill(template: str, values: Mapping[str, str | None]) -> str:
    lines = []
    for line in template.splitlines():
        names: Sequence[str] = PLACEHOLDER.findall(line)
        if all(values[name] is not None for name in names):
            lines.append(PLACEHOLDER.sub(lambda match: str(values[match[1]]), line))
    return "\n".join(lines) + "\n"


def _indented(text: str, depth: int) -> str:
    return "\n".join(" " * depth + line if line else line for line in text.splitlines())
