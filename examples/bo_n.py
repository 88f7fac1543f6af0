"""BO-N: the batch normalisations that a network needs, as in the DeepTrain paper (section VI.D).

For each network Thompson sampling searches the placements on 3R1G. A placement is valid if its accuracy is within one
point of All-BN's; of the valid ones those with the least latency and the least energy are shown, beside the placement
that the paper's optimiser chose, which is evaluated too. What is trained is a narrow network on the bundled images, so
placements need not agree with the paper's.

    python examples/bo_n.py --networks vgg11 vgg16 --evaluations 24
"""

import argparse
from pathlib import Path

from explorer import Study, run
from explorer.launch import resume
from explorer.units import format_quantity
from simulators.accelerators.deeptrain.published import BO_N

POINT = 0.01
SEARCH = Path(__file__).with_name("bo_n.yaml")


def search(network: str, evaluations: int, folder: Path) -> Study:
    """Search one network's placements; what an earlier run of this script finished is not done again."""
    store = folder / f"{network}.db"
    if store.exists():
        return resume(str(store)).run()
    paper = ",".join(f"C{position}" for position in BO_N[network])
    settings = [
        f"workload.network={network}", f"budget.evaluations={evaluations}",
        f"initial=[{{bn: all}}, {{bn: none}}, {{bn: '{paper}'}}]",
    ]  # fmt: skip
    return run(SEARCH, settings=settings, study=network, store=str(store))


def show(network: str, study: Study) -> None:
    """Print the valid placements that save most."""
    table = study.to_pandas()
    table = table[table.failure == ""].groupby("bn", as_index=False)[["accuracy", "latency", "energy"]].mean()
    ones = table.bn.str.count("1")
    all_bn = table[ones == table.bn.str.len()].iloc[0]
    valid = table[table.accuracy >= all_bn.accuracy - POINT]
    paper = "".join("1" if position + 1 in BO_N[network] else "0" for position in range(len(all_bn.bn)))
    print(f"\n{network}: {len(valid)} of {len(table)} placements are within a point of All-BN")
    rows = {
        "All-BN": all_bn,
        "no BN": table[ones == 0].iloc[0],
        "the paper's": table[table.bn == paper].iloc[0],
        "valid, least latency": valid.sort_values(["latency", "energy"]).iloc[0],
        "valid, least energy": valid.sort_values(["energy", "latency"]).iloc[0],
        "valid, fewest BN": valid.loc[valid.bn.str.count("1").sort_values(kind="stable").index[0]],
    }
    for name, row in rows.items():
        kept = " ".join(f"C{position}" for position, bit in enumerate(row.bn, 1) if bit == "1") or "none"
        print(
            f"  {name:<21} {100 * (row.accuracy - all_bn.accuracy):+6.2f} points   "
            f"latency {format_quantity(row.latency, 's'):>9} ({row.latency / all_bn.latency - 1:+5.0%})   "
            f"energy {format_quantity(row.energy, 'J'):>9} ({row.energy / all_bn.energy - 1:+5.0%})   BN after {kept}"
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
        show(network, search(network, options.evaluations, options.out))


if __name__ == "__main__":
    main()
