"""The trained network of a design, as a file that needs no study any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.evaluation import Evaluation
from explorer.files import write_new
from explorer.naming import Name, design_named
from explorer.outline import Outline
from explorer.provenance import changes, digests
from explorer.simulator_problem import Bench
from explorer.spec import SearchSpec
from explorer.study import Study
from simulators.protocol import Folder, InputError, TrainingSimulator, is_in_file

__all__ = ["Retraining", "TrainedModel", "trained_model"]


@dataclass(frozen=True)
class Retraining:
    """A training that is done again, because what is kept of it does not hold the network.

    Args:
        units: of the fidelity that are trained.
        unit: of the fidelity.
        took_s: what they took when they were trained for the study; None where it is not known.
        folder: where nothing of it was found; empty if the search keeps no trainings.
        changes: why the result may differ in its last digits: machine and versions, then and now.
    """

    units: int
    unit: str
    took_s: float | None
    folder: str
    changes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained network as a file.

    Args:
        content: of the file.
        evaluation: the design, with the values that the study has of it.
        outline: of the study.
        trained: units of the fidelity that were trained for the file; 0 where the training was kept.
        differences: numbers of the training that are not what the study has: by name then and now.
        changes: why they may differ, as far as it is known.
        reader: how the file is read.
        repeats: numbers of the evaluations that trained the same with other seeds.
    """

    content: bytes = field(repr=False)
    evaluation: Evaluation
    outline: Outline
    trained: int
    differences: Mapping[str, tuple[float, float]]
    changes: tuple[str, ...]
    reader: str
    repeats: tuple[int, ...] = ()

    def write(self, path: str | Path) -> None:
        """Make the file.

        Raises:
            InputError: something of that name is there, or it cannot be written.
        """
        write_new(Path(path), self.content, "out")


def trained_model(
    study: Study, name: Name, *, simulator: str = "", begin: Callable[[Retraining], None] = lambda _: None
) -> TrainedModel:
    """The network that was trained for a design, judged as the study says.

    A kept training is read; what is not kept is trained again, with the same seed. No user's Python file is run but
    that of the network.

    Args:
        study: that was run from a search file.
        name: of the design, see :mod:`explorer.naming`.
        simulator: the training simulator, where the search has several.
        begin: called before anything is trained again.

    Raises:
        InputError: there is no such design, nothing is trained in this study, or what the training depends on is not
            what it was.
    """
    spec, folder = study.spec, Path(study.record.folder)
    if spec is None:
        raise InputError(f"study '{study.name}' was made from Python functions, which have no networks", "study")
    if not study.outline.fidelity_name:
        raise InputError(f"nothing is trained in study '{study.name}': its designs have no weights", "study")
    evaluation = design_named(study.outline, study.rows, name)
    run = study.evaluations[evaluation.number - 1]
    bench = study.bench(spec)
    key = _training(bench, simulator)
    training = bench.simulators[key]
    assert isinstance(training, TrainingSimulator)  # noqa: S101  # chosen among those
    changed = _changed(study, spec, folder, key, training, bench)
    fields = bench.field_names(key)
    checkpoints = None if spec.checkpoints is None else Folder(spec.checkpoints, folder)

    def told(units: int) -> None:
        took_s = run.quantities.get(fields.get("training_time_s", ""))
        whole = run.fidelity or units
        begin(Retraining(
            units, study.outline.fidelity_name, None if took_s is None else took_s * units / whole,
            str(checkpoints or ""), changed,
        ))  # fmt: skip

    found = training.export(
        evaluation.design,
        bench.workload,
        fidelity=run.fidelity or 0,
        seed=run.seed,
        checkpoints=checkpoints,
        provenance=_noted(key, {**study.record.provenance, **run.provenance}),
        origin=_origin(study, evaluation),
        begin=told,
    )
    row = found.report.row()
    now = {f"{key}.{entry}": text for entry, text in found.report.provenance.items()}
    return TrainedModel(
        found.content,
        evaluation,
        study.outline,
        int(row["paid"]),
        _differences(training, fields, run, row),
        (*changed, *changes(run.provenance, now)),
        found.reader,
        tuple(e.number for e in study.evaluations if _repeats(e, run)),
    )


def _repeats(evaluation: Evaluation, run: Evaluation) -> bool:
    """Whether an evaluation is of the same training with another seed."""
    same = (evaluation.family, evaluation.fidelity) == (run.family, run.fidelity)
    return same and evaluation.seed != run.seed and not evaluation.failed


def _training(bench: Bench, wanted: str) -> str:
    """The name of the training simulator that is meant."""
    names = [key for key, simulator in bench.simulators.items() if isinstance(simulator, TrainingSimulator)]
    if wanted and wanted not in names:
        raise InputError(f"'{wanted}' does not train in this study; choose {' or '.join(names)}", "simulator")
    if not wanted and len(names) > 1:
        raise InputError(f"{' and '.join(names)} train in this study: say which one's network it is to be", "simulator")
    return wanted or names[0]


def _changed(
    study: Study, spec: SearchSpec, folder: Path, key: str, training: TrainingSimulator, bench: Bench
) -> tuple[str, ...]:
    """What rounds differently now.

    Raises:
        InputError: something else that the training depends on is not what it was.
    """
    now = {f"{key}.{name}": text for name, text in training.provenance(bench.workload).items()}
    now.update(digests(filter(is_in_file, [spec.workload.network]), folder))
    then = {name: text for name, text in study.record.provenance.items() if name in now}
    rounding = {f"{key}.{name}" for name in training.rounding}
    if wrong := changes({name: text for name, text in then.items() if name not in rounding}, now):
        raise InputError(
            f"{'; '.join(wrong)}: it would be another network than that of the study. Put back what it was", "study"
        )
    return tuple(changes({name: text for name, text in then.items() if name in rounding}, now))


def _noted(key: str, provenance: Mapping[str, str]) -> dict[str, str]:
    """What was noted of a simulator, under its own names."""
    return {n.removeprefix(f"{key}."): text for n, text in provenance.items() if n.startswith(f"{key}.")}


def _origin(study: Study, evaluation: Evaluation) -> dict[str, Any]:
    """Whose network it is, as plain values."""
    return {
        "study": study.name,
        "evaluation": evaluation.number,
        "key": evaluation.digest,
        "description": study.outline.space.describe(evaluation.design),
        "values": dict(evaluation.values),
        "code_version": study.record.code_version,
    }


def _differences(
    training: TrainingSimulator, fields: Mapping[str, str], run: Evaluation, row: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Fields of a training that are not what the study has."""
    stored = run.quantities
    return {
        name: (stored[name], row[field])
        for field, name in fields.items()
        if training.fields[field].repeats and field in row and name in stored and stored[name] != row[field]
    }
