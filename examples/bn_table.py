"""Train every batch-normalisation placement of VGG-11, with three seeds, and keep all accuracies as a small table.

With the table the simulator ``tabulated`` replays real trainings in microseconds. The trainings are a search like any
other: interrupt this script whenever you like, and run it again to go on. All placements are trained with a first seed,
then with a second and a third; ``--partial`` writes what is there already, also while another run is busy.

    python examples/bn_table.py                                                   # hours: 768 trainings of 12 epochs
    python examples/bn_table.py --placements 6 --seeds 2 --set proxy.train_images=1000 --set fidelity.epochs=3 \
        --folder results/try --out results/try.parquet                            # a minute
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import moocore
import numpy as np
import pandas

from explorer import Bits, InputError, Study, load_study
from explorer.assembly import assemble
from explorer.domination import nondominated
from explorer.launch import Prepared, prepare, resume
from explorer.search import Progress
from explorer.spec import parse_spec, read_search
from explorer.units import format_quantity
from simulators.training.table import MEASURES, SHIPPED, Quality, TableSettings, TrainingTable, quality, read_table

SEARCH = Path(__file__).with_name("bn_table.yaml")
CHIP = Path(__file__).with_name("demo.yaml")
PLACEMENTS = 2**8
LEARNS = 0.75
"""What the demo asks of accuracy; below it some seeds of a placement do not learn at all."""


def prepared(folder: Path, placements: int, seeds: int, workers: int, settings: Sequence[str]) -> Prepared:
    """The search that trains everything, new or to go on with."""
    replicates, store = f"confirm.replicates={seeds}", folder / "bn_table.db"
    if store.exists():
        if settings:
            raise InputError(f"{store} is there already and keeps its settings; choose another --folder", "--set")
        return resume(store, workers=workers, settings=[f"budget.evaluations={placements}", replicates])
    order = np.random.default_rng(0).permutation(PLACEMENTS)
    initial = ", ".join(f"{{bn: '{index:08b}'}}" for index in order)
    return prepare(
        SEARCH,
        settings=[f"initial=[{initial}]", f"budget.evaluations={placements}", replicates, *settings],
        store=str(store),
        workers=workers,
    )


def table_of(study: Study) -> TrainingTable:
    """What a study trained so far."""
    problem = study.assemble(check_run=False).problem
    workload, simulator = problem.bench.workload, problem.simulators["training"]
    series = (*MEASURES[:-1], "paid_time_s")  # nothing was continued: every epoch was paid for
    rows = [
        (str(e.design["bn"]), e.replicate, e.seed, epoch + 1, *(e.series[name][epoch] for name in series))
        for e in study.evaluations
        if not e.failed
        for epoch in range(int(e.quantities["epochs"]))
    ]
    settings = TableSettings(
        network=workload.network, dataset=workload.dataset, options=dict(workload.options),
        width=simulator.settings.width, trained=simulator.trained(workload), epochs=problem.full_fidelity,
        provenance={name.removeprefix("training."): value for name, value in study.record.provenance.items()},
    )  # fmt: skip
    return TrainingTable(pandas.DataFrame(rows, columns=["bn", "replicate", "seed", "epoch", *MEASURES]), settings)


def saturation(table: TrainingTable, draws: int = 50) -> dict[int, float]:
    """By number of placements, the share of the whole front's hypervolume that so many random ones have, on average.

    The front is that of the demo's chips: accuracy (the mean over seeds), latency, energy and area.

    Raises:
        InputError: no placement learns.
    """
    problem = assemble(parse_spec(read_search(CHIP)), CHIP.parent, check_run=False).problem
    families = []
    for bn, curve in table.means.items():
        designs = problem.members(problem.space.design({"bn": Bits(map(int, bn))}))
        known = problem.known(designs)
        accuracy = np.full(len(designs), curve.measures[-1, 0])
        good = known.feasible & (accuracy >= LEARNS)
        values = np.column_stack([accuracy, *(known.objectives[o.name] for o in problem.objectives if o.cheap)])[good]
        families.append(values[nondominated(values, problem.objectives)])
    everything = np.concatenate(families)
    if len(everything) == 0:
        raise InputError(f"no placement reaches {LEARNS:.0%}: there is no front", "table")
    signs = np.array([objective.sign for objective in problem.objectives])
    front = signs * everything[nondominated(everything, problem.objectives)]
    best, worst = front.max(axis=0), front.min(axis=0)

    def hypervolume(count: int) -> float:
        """Of so many random placements, in units of the front's box, a tenth of it added at the worst corner."""
        points = np.concatenate([families[i] for i in rng.permutation(len(families))[:count]])
        unit = (signs * points - worst) / np.where(best > worst, best - worst, 1.0)
        return float(moocore.hypervolume(unit, ref=[-0.1] * len(signs), maximise=True)) if len(points) else 0.0

    rng = np.random.default_rng(0)
    whole = hypervolume(len(families))
    counts = [count for count in (1, 2, 4, 8, 16, 32, 64, 128) if count < len(families)]
    return {count: float(np.mean([hypervolume(count) for _ in range(draws)])) / whole for count in counts}


def show(table: TrainingTable) -> None:
    """Print how far placements stand out from luck, and how soon that shows."""
    trainings = sum(len(curves) for curves in table.curves.values())
    seconds = table.rows.groupby(["bn", "replicate"]).time_s.sum()
    print(f"{len(table.curves)} of {PLACEMENTS} placements, {trainings} trainings of {table.settings.epochs} epochs")
    print(f"  {format_quantity(float(seconds.median()), 's')} a training, {seconds.sum() / 3600:.2f} h in all")
    for name, least in (("all placements", 0.0), (f"those that reach {LEARNS:.0%} with every seed", LEARNS)):
        print(f"{name}:")
        try:
            print(in_words(quality(table, least)))
        except InputError as error:
            print(f"  {error.message}")
    try:
        shares = ", ".join(f"{count}: {share:.1%}" for count, share in saturation(table).items())
        print(f"share of the front's hypervolume after so many random placements: {shares}")
    except InputError as error:
        print(error.message)


def in_words(found: Quality) -> str:
    """A table's quality, and what a benchmark needs."""
    ranks = " ".join(f"{rank:.2f}" for rank in found.rank_correlations)
    return (
        f"  seed noise {100 * found.noise:.2f} points (median placement {100 * found.typical_noise:.2f})\n"
        f"  10-90 % range of mean accuracies {100 * found.spread:.2f} points\n"
        f"  noise / range {found.ratio:.3f}   (a benchmark: under 0.333)\n"
        f"  rank correlation with the last epoch: {ranks}   (epoch 2: at least 0.60)"
    )


def main() -> None:
    """Train what is missing, write the table, show what it is worth."""
    parser = argparse.ArgumentParser(description="All batch-normalisation placements of VGG-11, trained.")
    parser.add_argument("--folder", type=Path, default=Path("results/bn_table"), help="where trainings are kept")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the table")
    parser.add_argument("--placements", type=int, default=PLACEMENTS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="key=value for the search file, of a new run")
    parser.add_argument("--partial", action="store_true", help="train nothing, write what is there")
    options = parser.parse_args()
    if not 1 <= options.placements <= PLACEMENTS:
        parser.error(f"--placements: choose 1 to {PLACEMENTS}")
    try:
        if options.partial:
            study = load_study(options.folder / "bn_table.db")
        else:
            options.folder.mkdir(parents=True, exist_ok=True)
            search = prepared(options.folder, options.placements, options.seeds, options.workers, options.set)
            study = search.run(tell)
            wanted = options.placements * options.seeds
            if (done := sum(not e.failed for e in study.evaluations)) < wanted:
                raise InputError(f"{wanted - done} of {wanted} trainings failed; --partial writes the table without")
        table_of(study).write(options.out)
        show(read_table(options.out))
    except InputError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(130, "interrupted: run it again to go on\n")


def tell(progress: Progress) -> None:
    """A line for every eighth training."""
    done = progress.finished + progress.confirmed
    if progress.latest and done % 8 == 0:
        left = "" if progress.remaining_s is None else f", {progress.remaining_s / 60:.0f} min left of {progress.phase}"
        print(f"{done} trainings, {progress.failed} failed{left}", flush=True)


if __name__ == "__main__":
    main()
