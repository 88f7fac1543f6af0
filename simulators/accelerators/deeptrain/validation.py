"""Published figures beside modelled ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulators import components
from simulators.accelerators.deeptrain.noc import busiest_links
from simulators.accelerators.deeptrain.published import (
    ALL_BN,
    BO_N,
    MEAN_ENERGY_SAVING,
    all_and_bo_n,
    placements,
    stack_name,
)
from simulators.accelerators.deeptrain.thermal import LIMIT_K, stack_temperatures_k
from simulators.protocol import Designs, Report, ValidationCase, Workload
from simulators.workloads import bn_variable

if TYPE_CHECKING:
    from simulators.accelerators.deeptrain.simulator import DeepTrain

__all__ = ["validation_cases"]

ISAAC = "ISAAC, ISCA 2016, table 1"
UTILISATION = "card_utilisation"
K = "bn_lane_instructions_per_element"
STACKS = ((1, 3), (2, 2), (3, 1))  # ReRAM and GPU layers
MAPPING = "mapping rules (settings) and network stems"
BALANCED = "section VI.B: All-BN is 'relatively balanced' on 2R2G"
LINK_BOUND = {("vgg16", "BO-N"), ("vgg16", "no BN"), ("vgg19", "BO-N"), ("vgg19", "no BN"), ("resnet18", "no BN")}
LEVELS = f"section V.A: up to four layers before 100 C ({LIMIT_K:g} K)"


def validation_cases(simulator: DeepTrain) -> tuple[ValidationCase, ...]:
    """All comparisons, with the simulator's own settings and assumptions."""
    return (
        *_isaac(),
        *_counts(simulator),
        *_stacks(simulator),
        *_baselines(simulator),
        *_network_on_chip(simulator),
        *_temperatures(simulator),
        *_powers(simulator),
    )


def _isaac() -> Iterator[ValidationCase]:
    published = {
        "IMA": (24.08e-3, 0.01312, components.isaac_ima_totals()),
        "tile": (0.330, 0.372, components.isaac_tile_totals()),
        "chip": (65.8, 85.4, components.isaac_chip_totals()),
    }
    for name, (power_w, area_mm2, modelled) in published.items():
        yield ValidationCase(f"ISAAC {name}: power", power_w, modelled[0], "W", "exact", ISAAC)
        yield ValidationCase(f"ISAAC {name}: area", area_mm2, modelled[1], "mm2", "exact", ISAAC)
    products = components.TILES_PER_CHIP * components.IMAS_PER_TILE / 1.6e-6  # one per IMA in 16 reads of 100 ns
    operations = products * 2 * 128 * 128
    yield ValidationCase(
        "ISAAC chip: throughput per area", 479e9, operations / components.isaac_chip_totals()[1], "1/s/mm2", "exact",
        "ISAAC, ISCA 2016", "128 x 128 weights of 16 bit per IMA every 1.6 us",
    )  # fmt: skip


def _counts(simulator: DeepTrain) -> Iterator[ValidationCase]:
    for network, published in ALL_BN.items():
        report = simulator.simulate(all_and_bo_n(Workload(network), 3, 1), Workload(network))
        yield ValidationCase(
            f"{network}: normalisations, All-BN", published, float(report.bn_layers[0]), "", "exact", "section V.A",
            "the network's definition",
        )  # fmt: skip
        instructions = report.gpu_instructions / simulator.assumed[K]
        for index, name in enumerate(("All-BN", "BO-N")):
            yield ValidationCase(
                f"{network}: normalised elements per image, {name}", None, float(instructions[index]), "", "prediction",
                "section VI.D and figure 9(b): counted there as instructions", "the network's definition and its stem",
            )  # fmt: skip


def _stacks(simulator: DeepTrain) -> Iterator[ValidationCase]:
    reports: dict[tuple[str, str], Report] = {}  # two designs each: All-BN, BO-N
    for network in BO_N:
        workload = Workload(network)
        for reram, gpu in STACKS:
            designs = all_and_bo_n(workload, reram, gpu)
            reports[network, stack_name(reram, gpu)] = simulator.simulate(designs, workload)

    balances = {network: _bn_share(reports[network, "2R2G"], 0) for network in BO_N}
    yield ValidationCase(
        "normalisation / convolution time, All-BN on 2R2G, geometric mean", None,
        float(np.exp(np.mean(np.log(list(balances.values()))))), "", "calibrated", BALANCED,
        f"{K} is set by this, and rounded", 0.9, 1.1,
    )  # fmt: skip
    for network, share in balances.items():  # one constant cannot fit four networks
        yield ValidationCase(
            f"{network}: normalisation / convolution time, All-BN on 2R2G", None, share, "", "band",
            f"{BALANCED}: taken as a factor of two at most", f"{K}, one for all networks", 0.5, 2.0,
        )  # fmt: skip
    for (network, stack), report in reports.items():
        if stack != "1R3G":
            low, high, source = None, 1.0, "section VI.A: the stacks that it explores"
        elif network in ("vgg16", "vgg19"):
            low, high, source = 1.0, None, "section VI.A: one ReRAM layer is too small, for VGG-19 for example"
        else:
            continue  # the paper does not say whether it holds the smaller networks
        fill = float(report.crossbars_needed[0] / report.crossbars_available[0])
        yield ValidationCase(
            f"{network}: crossbars needed / available on {stack}", None, fill, "", "band", source, MAPPING, low, high
        )
    imagenet = Workload("resnet18", options=(("stem", "imagenet"),))
    yield ValidationCase(
        "resnet18 with torchvision's stem: normalisation / convolution time, All-BN on 2R2G", None,
        _bn_share(simulator.simulate(all_and_bo_n(imagenet, 2, 2), imagenet), 0), "", "band",
        f"{BALANCED}: taken as a factor of two at most", f"{K}; the paper does not say which stem it used", 0.5, 2.0,
    )  # fmt: skip
    for network in BO_N:
        yield ValidationCase(
            f"{network}: normalisation / convolution time, All-BN on 3R1G", None,
            _bn_share(reports[network, "3R1G"], 0), "", "band", "section VI.B: a bottleneck, at least 1", K, low=1.0,
        )  # fmt: skip
    for (network, stack), report in reports.items():
        if stack == "1R3G":
            continue
        name = f"{network}: normalisation / convolution time, BO-N on {stack}"
        source = "section VI.E: no bottleneck any more, at most 1"
        if (network, stack) == ("resnet18", "3R1G"):
            assumption = f"{K}; with these rules it stays bound"
            yield ValidationCase(name, None, _bn_share(report, 1), "", "known mismatch", source, assumption, None, 1.0)
        else:
            yield ValidationCase(name, None, _bn_share(report, 1), "", "band", source, K, None, 1.0)

    saved = {
        name: {n: 1 - field[1] / field[0] for n in BO_N for field in (reports[n, "3R1G"].totals[name],)}
        for name in ("energy_j", "latency_s", "gpu_instructions")
    }
    savings = {name: np.mean(list(of_networks.values())) for name, of_networks in saved.items()}
    yield ValidationCase(
        "energy saved by BO-N on 3R1G, mean", MEAN_ENERGY_SAVING, float(savings["energy_j"]), "", "calibrated",
        "section VI.E", "gpu_energy_per_lane_instruction_j is set by this",
    )  # fmt: skip
    yield ValidationCase(
        "latency saved by BO-N on 3R1G, mean", None, float(savings["latency_s"]), "", "prediction",
        "section VI.E and figure 12", K,
    )  # fmt: skip
    yield ValidationCase(
        "GPU instructions saved by BO-N, mean", None, float(savings["gpu_instructions"]), "", "prediction",
        "section VI.D and figure 9(b)", "element counts alone",
    )  # fmt: skip
    for network in BO_N:
        for name, what, source, assumption in (
            ("latency_s", "latency saved by BO-N on 3R1G", "section VI.E and figure 12", K),
            ("gpu_instructions", "GPU instructions saved by BO-N", "figure 9(b)", "element counts alone"),
        ):
            yield ValidationCase(
                f"{network}: {what}", None, float(saved[name][network]), "", "prediction", source, assumption
            )


def _bn_share(report: Report, index: int) -> float:
    return float(report.bn_stage_time_s[index] / report.conv_stage_time_s[index])


def _baselines(simulator: DeepTrain) -> Iterator[ValidationCase]:
    """Speed-ups are ratios of latencies: what an epoch gains hangs on a batch size that the paper does not give."""
    reports = {}
    for network in BO_N:
        workload = Workload(network)
        both = {stack: all_and_bo_n(workload, *stack) for stack in STACKS[1:]}
        no_layers = {name: np.array([0]) for name in ("reram_layers", "gpu_layers")}
        cards = both[3, 1].with_columns({"policy": np.array(["titan-xp"]), **no_layers})
        regent = both[2, 2].with_columns({"policy": np.array(["regent"]), "bn": both[2, 2]["bn"][:1] * 0})
        reports[network] = (
            simulator.simulate(both[3, 1], workload), simulator.simulate(both[2, 2], workload),
            simulator.simulate(cards, workload), simulator.simulate(regent, workload),
        )  # fmt: skip
    speed_ups = {}
    for network, (deeptrain, accured, card, regent_report) in reports.items():
        speed_ups[network] = float(card.latency_s[0] / deeptrain.latency_s[1])
        yield ValidationCase(
            f"{network}: speed-up over the Titan Xp, BO-N on 3R1G", None, speed_ups[network], "", "prediction",
            "section VI.G and figure 14", UTILISATION,
        )  # fmt: skip
        yield ValidationCase(
            f"{network}: speed-up over AccuReD (All-BN on 2R2G), BO-N on 3R1G", None,
            float(accured.latency_s[0] / deeptrain.latency_s[1]), "", "band",
            "section VI.G: the best of all configurations", K, low=1.0,
        )  # fmt: skip
        slowest = max(deeptrain.latency_s[0], accured.latency_s[0])
        yield ValidationCase(
            f"{network}: speed-up over the Titan Xp, All-BN, the slower stack", None,
            float(card.latency_s[0] / slowest), "", "band", "section VI.G: all configurations beat the GPU",
            f"{UTILISATION}, {K}", low=1.0,
        )  # fmt: skip
        yield ValidationCase(
            f"{network}: convolutions' share of the time on the Titan Xp", None,
            float(card.conv_stage_time_s[0] / card.latency_s[0]), "", "band", "section VI.G: more than 90 %",
            f"{UTILISATION}, card_bytes_per_bn_element", low=0.9,
        )  # fmt: skip
        yield ValidationCase(
            f"{network}: latency saved by BO-N on the Titan Xp", None, float(1 - card.latency_s[1] / card.latency_s[0]),
            "", "band", "section VI.G: relatively inconsequential, taken as at most 10 %",
            f"{UTILISATION}, card_bytes_per_bn_element", high=0.1,
        )  # fmt: skip
        yield ValidationCase(
            f"{network}: latency of REGENT (2R2G, no BN) / that of AccuReD", None,
            float(regent_report.latency_s[0] / accured.latency_s[0]), "", "band",
            "section VI.A: the backward phase on GPUs is the bottleneck", "gpu_lane_instructions_per_mac", low=1.0,
        )  # fmt: skip
        yield ValidationCase(
            f"{network}: latency of REGENT (2R2G, no BN) / that of the Titan Xp", None,
            float(regent_report.latency_s[0] / card.latency_s[0]), "", "prediction",
            "not published: Fermi GPU layers are much slower than a whole card",
            f"gpu_lane_instructions_per_mac, {UTILISATION}",
        )  # fmt: skip
    highest = max(speed_ups, key=speed_ups.__getitem__)
    yield ValidationCase(
        f"highest speed-up over the Titan Xp, BO-N on 3R1G: {highest}", 15.0, speed_ups[highest], "", "known mismatch",
        "abstract: up to 15 x", f"{UTILISATION}, which is a guess; ratios of latencies, an epoch gains less", high=15.0,
    )  # fmt: skip


def _network_on_chip(simulator: DeepTrain) -> Iterator[ValidationCase]:
    for network in BO_N:
        workload = Workload(network)
        designs = placements(workload, 3, 1, BO_N[network], ())
        report, network_on_chip = simulator.simulate(designs, workload), simulator.stacks(designs, workload).network
        carried = {
            routing: busiest_links(network_on_chip.routed(routing), np.zeros(1, dtype=np.intp), designs["bn"], 2)
            for routing in ("multicast", "unicast")
        }
        yield ValidationCase(
            f"{network}: busiest link with single messages / with trees, BO-N on 3R1G", None,
            float(carried["unicast"][0] / carried["multicast"][0]), "", "band",
            "section IV.B: trees reduce traffic", "layers side by side along a snake", low=1.0,
        )  # fmt: skip
        for index, placement in enumerate(("BO-N", "no BN")):
            bound = (network, placement) in LINK_BOUND
            yield ValidationCase(
                f"{network}: time of the busiest link / stage time, {placement} on 3R1G", None,
                float(report.link_stage_time_s[index] / report.stage_time_s[index]), "",
                "known mismatch" if bound else "band", "section IV.B: communication does not become a bottleneck",
                "link_bytes_per_s and the place of layers" + ("; not counted by default" if bound else ""), high=1.0,
            )  # fmt: skip


def _temperatures(simulator: DeepTrain) -> Iterator[ValidationCase]:
    """Four layers below the limit, five above it: the resistances are fitted to the four-layer stacks of the paper that
    heat most. What else the sentence says hangs on how much of a stack is ReRAM: a count of layers does not tell.
    """
    reram_w, gpu_w = 144 * components.isaac_tile_totals()[0], simulator.assumed["gpu_layer_power_w"]

    def peak_k(reram: int, gpu: int) -> float:
        return float(stack_temperatures_k(np.array([reram_w] * reram + [gpu_w] * gpu), simulator.assumed)[-1])

    def case(
        stack: str, modelled_k: float, tier: Literal["band", "calibrated", "known mismatch"], assumption: str,
        **band: float,
    ) -> ValidationCase:  # fmt: skip
        return ValidationCase(f"peak temperature of {stack}", None, modelled_k, "K", tier, LEVELS, assumption, **band)

    fitted, resistances = "thermal resistances, fitted to this", "thermal resistances, fitted to 3R1G and 2R2G"
    yield case("3R1G", peak_k(3, 1), "calibrated", fitted, high=LIMIT_K)
    yield case("2R2G", peak_k(2, 2), "calibrated", fitted, high=LIMIT_K)
    yield case("1R3G", peak_k(1, 3), "band", resistances, high=LIMIT_K)
    yield case(
        "4R", peak_k(4, 0), "known mismatch",
        f"{resistances}; without a GPU layer, which every stack of the paper has, four are too hot", high=LIMIT_K,
    )  # fmt: skip
    yield case("4R1G, a fifth layer", peak_k(4, 1), "band", resistances, low=LIMIT_K)
    yield case(
        "3R2G, a fifth layer", peak_k(3, 2), "known mismatch",
        f"{resistances}; a GPU layer gives off a quarter of a ReRAM layer's heat, so five layers may pass", low=LIMIT_K,
    )  # fmt: skip


def _powers(simulator: DeepTrain) -> Iterator[ValidationCase]:
    reram, gpu = np.array(STACKS).T
    shares = {}
    for network in BO_N:
        workload = Workload(network)
        domain = bn_variable(workload).domain
        none = Designs({"bn": domain.column([domain.parse("none")]), "reram_layers": reram, "gpu_layers": gpu})
        report = simulator.simulate(none, workload)
        for index in np.flatnonzero(report.feasible):
            name = f"{network} on {stack_name(*STACKS[index])}"
            shares[name] = float(report.average_power_w[index] / report.power_w[index])
    worst = max(shares, key=shares.__getitem__)
    yield ValidationCase(
        f"average power / rated power, no BN: {worst}, the highest", None, shares[worst], "",
        "known mismatch", "a tile cannot draw more than its rated power",
        "training_passes: weight gradients cost energy, but the mapping gives them no crossbars and no time",
        high=1.0,
    )  # fmt: skip
    assumed = simulator.assumed
    full_rate_w = assumed["gpu_energy_per_lane_instruction_j"] * assumed["gpu_lane_instructions_per_s"]
    yield ValidationCase(
        "power of a GPU layer at full rate", None, full_rate_w, "W", "known mismatch",
        "gpu_layer_power_w, its rated power", "two separate fits: its energy to section VI.E, its power to section V.A",
        high=assumed["gpu_layer_power_w"],
    )  # fmt: skip
