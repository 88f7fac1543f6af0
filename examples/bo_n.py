"""BO-N: the batch normalisations that a network needs, as in the DeepTrain paper (section VI.D).

For each network Thompson sampling searches the placements on 3R1G, with the paper's price on every batch normalisation
(a coarse grid of prices, of which suggestions take turns). A placement is valid if its accuracy is within one point of
All-BN's; of the valid ones those with the least latency, the least energy and the fewest batch normalisations are
shown. The placement that the paper's optimiser chose is trained too, after the search, which never hears of it. What is
trained is a narrow network on the bundled images, so placements need not agree with the paper's. Accuracies are means
over as many trainings as the last column says; a single one may be a point off.

    python examples/bo_n.py --networks vgg11 vgg16 --evaluations 24
"""

import argparse
from pathlib import Path

import pandas

from explorer import Problem, Study
from explorer.evaluation import Proposal
from explorer.launch import Prepared, prepare, resume
from explorer.units import format_quantity
from simulators.accelerators.deeptrain.published import BO_N
from simulators.protocol import Design

POINT = 0.01
REPLICATES = 3  # trainings of the paper's placement, as many as of those that bo_n.yaml confirms
SEARCH = Path(__file__).with_name("bo_n.yaml")


def search(network: str, evaluations: int, folder: Path) -> tuple[Prepared, Study]:
    """Search one network's placements; what an earlier run of this script finished is not done again."""
    store = folder / f"{network}.db"
    budget = f"budget.evaluations={evaluations}"
    if not store.exists():
        prepared = prepare(SEARCH, settings=[f"workload.network={network}", budget], study=network, store=str(store))
    else:
        prepared = resume(str(store), settings=[budget])
    return prepared, prepared.run()


def table_of(problem: Problem, study: Study, kept: str) -> pandas.DataFrame:
    """Placements with the means over their trainings; among them ``kept``, which is trained now unless it was."""
    rows = study.to_pandas()
    rows = rows[rows.failure == ""]
    searched = set(rows.bn)
    chip = problem.space.unpack(problem.space.at(range(1)))[0]
    design = Design({**chip, "bn": problem.space.variables["bn"].domain.parse(kept)})
    for replicate in range(REPLICATES):
        trained = problem.evaluate(Proposal(design, problem.full_fidelity, replicate))
        rows.loc[len(rows)] = {"bn": str(design["bn"]), "replicate": replicate, **trained.values}
    rows = rows.drop_duplicates(["bn", "replicate"])
    means = rows.groupby("bn", as_index=False).agg(
        accuracy=("accuracy", "mean"), spread=("accuracy", "std"), latency=("latency", "first"),
        energy=("energy", "first"), trainings=("accuracy", "size"),
    )  # fmt: skip
    return means.assign(searched=means.bn.isin(searched))


def show(network: str, problem: Problem, study: Study) -> None:
    """Print the valid placements that save most."""
    published = ",".join(f"C{position}" for position in BO_N[network])
    table = table_of(problem, study, published)
    ones = table.bn.str.count("1")
    all_bn = table[ones == table.bn.str.len()].iloc[0]
    found = table[table.searched]
    valid = found[found.accuracy >= all_bn.accuracy - POINT]
    paper = str(problem.space.variables["bn"].domain.parse(published))
    print(f"\n{network}: {len(valid)} of {len(found)} placements are within a point of All-BN")
    rows = {
        "All-BN": all_bn,
        "no BN": table[ones == 0].iloc[0],
        "the paper's": table[table.bn == paper].iloc[0],
        "valid, least latency": valid.sort_values(["latency", "energy"]).iloc[0],
        "valid, least energy": valid.sort_values(["energy", "latency"]).iloc[0],
        "valid, fewest BN": valid.loc[valid.bn.str.count("1").sort_values(kind="stable").index[0]],
    }
    for name, row in rows.items():
        positions = " ".join(f"C{position}" for position, bit in enumerate(row.bn, 1) if bit == "1") or "none"
        spread = f"± {100 * row.spread:.2f}" if row.trainings > 1 else ""
        print(
            f"  {name:<21} {100 * (row.accuracy - all_bn.accuracy):+6.2f} {spread:<7} points   "
            f"latency {format_quantity(row.latency, 's'):>9} ({row.latency / all_bn.latency - 1:+5.0%})   "
            f"energy {format_quantity(row.energy, 'J'):>9} ({row.energy / all_bn.energy - 1:+5.0%})   "
            f"BN after {positions}   ({row.trainings} trained)"
        )


def main() -> None:
    """Search and show."""
    parser = argparse.ArgumentParser(description="The batch normalisations that a network needs.")
    parser.add_argument("--networks", nargs="+", default=list(BO_N), choices=list(BO_N))
    parser.add_argument("--evaluations", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path("results/bo_n"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for network in options.networks:
        prepared, study = search(network, options.evaluations, options.out)
        show(network, prepared.problem, study)


if __name__ == "__main__":
    main()
