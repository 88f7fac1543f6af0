"""A Slurm of its own on this machine, for as long as a test runs: two nodes, one core each, on the loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

__all__ = ["Slurm", "why_none"]

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")
WAIT_S = 60.0

CONFIGURATION = """\
ClusterName=rex
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=30
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_none() -> str:
    """Why there can be no Slurm; empty if there can."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if missing:
        return f"Slurm is not installed (no {', '.join(missing)}): apt-get install slurm-wlm munge"
    return "" if os.getuid() == 0 else "slurmd has to be started by root"


def _path() -> str:
    return f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}"


class Slurm:
    """A context manager: a controller and nodes that run jobs as they would elsewhere.

    Args:
        count: number of nodes; all are this machine.
    """

    def __init__(self, count: int = 2) -> None:
        self.count = count

    def __enter__(self) -> Slurm:
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm"))
        self.folder = Path(folder)
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        host, (port, *ports) = socket.gethostname().partition(".")[0], _free_ports(self.count + 1)
        nodes = "\n".join(
            f"NodeName=node{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=1 State=UNKNOWN"
            for n, node_port in enumerate(ports, 1)
        )
        (self.folder / "state").mkdir()
        self.configuration = self.folder / "slurm.conf"
        self.configuration.write_text(
            CONFIGURATION.format(host=host, port=port, folder=self.folder, nodes=nodes), encoding="utf-8"
        )
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        own = {name: f"--{name}={self.folder}/munge.{name.removesuffix('-file')}" for name in ("socket", "pid-file")}
        self._daemon("munged", "--foreground", "--force", f"--key-file={key}", *own.values(),
                     f"--log-file={self.folder}/munge.log", f"--seed-file={self.folder}/munge.seed")  # fmt: skip
        _until(lambda: (self.folder / "munge.socket").exists(), "munged does not start")
        self._daemon("slurmctld", "-D", "-f", str(self.configuration))
        for n in range(1, self.count + 1):
            self._daemon("slurmd", "-D", "-N", f"node{n}", "-f", str(self.configuration))
        _until(
            lambda: self.call("sinfo", "--noheader", "--format=%T").split() == ["idle"], "no idle nodes: see the logs"
        )

    def _daemon(self, *command: str) -> None:
        log = self._stack.enter_context((self.folder / f"{command[0]}.out").open("ab"))
        process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

        def end() -> None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self._stack.callback(end)

    @property
    def environment(self) -> dict[str, str]:
        """For commands of Slurm; jobs get it, too."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "SLURM"))}
        return {**own, "SLURM_CONF": str(self.configuration), "PATH": _path(), "OMP_NUM_THREADS": "1"}

    def call(self, *command: str, cwd: Path | None = None) -> str:
        """What a command of Slurm prints; empty if it fails."""
        return subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        ).stdout

    def submit(self, script: Path) -> str:
        """The number of a new job."""
        return self.call("sbatch", "--parsable", script.name, cwd=script.parent).strip()

    def state(self, job: str) -> str:
        """Of a job: ``PENDING``, ``RUNNING``, ``COMPLETED`` ...; empty if there is no such job."""
        shown = self.call("scontrol", "show", "job", job)
        return shown.partition("JobState=")[2].partition(" ")[0]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            free = stack.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            found.append(free.getsockname()[1])
        return found


def _until(reached: object, why_not: str) -> None:
    end = time.monotonic() + WAIT_S
    while not reached():  # type: ignore[operator]  # a function
        if time.monotonic() > end:
            raise TimeoutError(why_not)
        time.sleep(0.2)
