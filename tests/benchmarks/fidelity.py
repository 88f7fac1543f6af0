"""What searches cost: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.fidelity --out FOLDER``.

Every strategy searches the same problems until it has paid as much (or made 200 evaluations); all have the same
caching: a family that was trained costs nothing again, and trainings go on where the problem lets them. Printed are, in
whole trainings, the cost at which 80, 90, 95 and 99 % of the true hypervolume are there (median and quartiles over
seeds; of searches that do not get there, the budget), the median hypervolume that is missing at the end as a power of
ten, CPU seconds per suggestion on one thread, and how these costs compare, with bootstrap intervals. All runs of the
folder are in ``fidelity.parquet``; until the last one has ended, each is a file of its own in ``fidelity``, so that
what is interrupted goes on. The picture is ``fidelity.html``. The searches that the README quotes are kept: ``--show
--out tests/benchmarks/recorded`` tells of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas
import plotly.colors
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.budget import Budget
from explorer.evaluation import Evaluation
from explorer.strategies import make_strategy
from tests.benchmarks.fidelity_problems import PROBLEMS
from tests.benchmarks.runs import collect, parsed, parser_of

STRATEGIES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "cf-mesmo": ("cf-mesmo", {}),
    "cf-mesmo, black box": ("cf-mesmo", {"grey_box": False}),
    "mesmo": ("mesmo", {}),
    "mesmo, black box": ("mesmo", {"grey_box": False}),
    "thompson-bqp": ("thompson-bqp", {}),
    "portfolio": ("portfolio", {}),
    "random": ("random", {}),
    "nsga2": ("nsga2", {"population_size": 10}),
    "amosa": ("amosa", {}),
    "tpe": ("tpe", {}),
    "gp-sampler": ("gp-sampler", {}),
    "qlog-nehvi": ("qlog-nehvi", {}),
}
"""Strategies with their options."""

SHARES = (0.80, 0.90, 0.95, 0.99)
BARS: Sequence[tuple[str, Sequence[str], float]] = (
    ("cf-mesmo", ["mesmo"], 0.5),
    ("cf-mesmo", ["qlog-nehvi"], 0.5),
    ("cf-mesmo", ["nsga2"], 0.25),
    ("cf-mesmo", ["cf-mesmo, black box"], 1.0),
    ("mesmo", ["mesmo, black box"], 1.0),
    ("portfolio", ["cf-mesmo", "thompson-bqp"], 1.1),
)
"""A strategy, others, and the most that its cost should be of the least of theirs."""

QUOTED: Mapping[str, str] = {
    "bn-bench": "real accuracies of BN placements",
    "mixed": "bits and numbers, a cheap objective",
    "park": "four numbers, two trained objectives",
}
"""Problems and strategies of the README's table."""
QUOTED_STRATEGIES = ("cf-mesmo", "portfolio", "thompson-bqp", "mesmo", "qlog-nehvi", "nsga2", "random")

DASHES = ("solid", "dash", "dot", "dashdot")
BOOTSTRAPS = 2000
MOST = 200  # evaluations of a search, those that cost nothing included


def run(problem: str, strategy: str, seed: int) -> pandas.DataFrame:
    """One search: a row per evaluation."""
    benchmark = PROBLEMS[problem](seed)
    name, options = STRATEGIES[strategy]
    whole = benchmark.problem.cost(benchmark.problem.full_fidelity)
    searched = make_strategy(name, benchmark.problem, seed, options)
    searched.budget = Budget(cost=benchmark.budget * whole)
    found: list[Evaluation] = []
    spent: list[float] = []
    paid = 0.0
    while paid < benchmark.budget * whole and len(found) < MOST:
        began = time.process_time()
        proposals = searched.suggest(1)
        spent.append(time.process_time() - began)
        if not proposals:
            break
        evaluation = benchmark.problem.evaluate(proposals[0])
        found.append(evaluation)
        paid += evaluation.cost
        began = time.process_time()
        searched.update([evaluation], [])
        spent[-1] += time.process_time() - began
    cost = np.cumsum([evaluation.cost for evaluation in found]) / whole
    return pandas.DataFrame({
        "problem": problem, "strategy": strategy, "seed": seed, "cost": cost, "share": benchmark.shares(found),
        "fidelity": [evaluation.fidelity for evaluation in found], "by": [evaluation.strategy for evaluation in found],
        "suggestion_cpu_s": spent[: len(found)], "budget": benchmark.budget,
    })  # fmt: skip


def cost_of(runs: pandas.DataFrame, share: float) -> pandas.Series:
    """Per seed the cost at which a share is reached; the budget where it is not."""
    reached = runs[runs["share"] >= share].groupby("seed").cost.min()
    return reached.reindex(runs.seed.unique(), fill_value=float(runs.budget.iloc[0]))


def summary(runs: pandas.DataFrame) -> str:
    """The table."""
    lines = []
    for problem, of_problem in runs.groupby("problem", sort=False):
        lines.append(f"\n{problem}: cost in whole trainings (median, quartiles)")
        header = "".join(f"{f'{share:.0%}':>22}" for share in SHARES)
        lines.append(f"{'':<22}{header}{'missing':>10}{'CPU s':>8}{'runs':>6}")
        for strategy in STRATEGIES:
            found = of_problem[of_problem.strategy == strategy]
            if found.empty:
                continue
            cells = ""
            for share in SHARES:
                low, middle, high = cost_of(found, share).quantile([0.25, 0.5, 0.75])
                unreached = ">" if middle >= found.budget.iloc[0] else " "
                cells += f"{f'{unreached}{middle:.1f} ({low:.1f} to {high:.1f})':>22}"
            missing = np.log10(np.maximum(1 - found.groupby("seed")["share"].last(), 1e-6)).median()
            seconds = found.suggestion_cpu_s.mean()
            lines.append(f"{strategy:<22}{cells}{missing:>10.2f}{seconds:>8.3f}{found.seed.nunique():>6}")
    return "\n".join(lines)


def quoted(runs: pandas.DataFrame) -> str:
    """The README's table: median costs to 80, 90 and 95 %."""
    problems = [problem for problem in QUOTED if problem in set(runs.problem)]
    lines = [
        "| " + "".join(f"| {QUOTED[problem]} " for problem in problems) + "|",
        "|---" + "|---" * len(problems) + "|",
    ]
    most = {problem: runs[runs.problem == problem].seed.nunique() for problem in problems}
    for strategy in QUOTED_STRATEGIES:
        cells = [
            _quoted_cell(runs[(runs.problem == problem) & (runs.strategy == strategy)], most[problem])
            for problem in problems
        ]
        if set(cells) != {"-"}:
            lines.append(f"| `{strategy}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _quoted_cell(runs: pandas.DataFrame, searches: int) -> str:
    if runs.empty:
        return "-"
    budget = float(runs.budget.iloc[0])
    medians = [float(cost_of(runs, share).median()) for share in SHARES[:3]]
    costs = [f"{cost:.1f}" if cost < budget else f"> {budget:.0f}" for cost in medians]
    told = costs[0] if len(set(costs)) == 1 and medians[0] >= budget else ", ".join(costs)
    made = runs.seed.nunique()
    return told + (f" ({made} search{'es' if made > 1 else ''})" if made < searches else "")


def bars(runs: pandas.DataFrame) -> str:
    """How the strategies' median costs compare, with what 90 % of other draws of the seeds would say."""
    lines = []
    for problem, of_problem in runs.groupby("problem", sort=False):
        lines.append(f"\n{problem}: median cost as a share of another's (90 % of bootstraps over seeds)")
        lines.append(f"{'':<42}{'at most':>8}" + "".join(f"{f'{share:.0%}':>22}" for share in SHARES))
        known = dict(list(of_problem.groupby("strategy")))
        for strategy, others, most in BARS:
            if {strategy, *others} <= set(known):
                cells = "".join(
                    f"{_ratio(known[strategy], [known[other] for other in others], share):>22}" for share in SHARES
                )
                name = f"{strategy} / {others[0] if len(others) == 1 else 'the better of its members'}"
                lines.append(f"{name:<42}{most:>8.2f}{cells}")
    return "\n".join(lines)


def _ratio(own: pandas.DataFrame, others: Sequence[pandas.DataFrame], share: float) -> str:
    budget = own.budget.iloc[0]
    costs = [cost_of(runs, share).to_numpy() for runs in (own, *others)]
    cost, *of_others = map(np.median, costs)
    other = min(of_others)
    if cost >= budget and other >= budget:
        return "-"
    rng = np.random.default_rng(0)
    medians = [np.median(rng.choice(found, (BOOTSTRAPS, len(found))), axis=1) for found in costs]
    low, high = np.quantile(medians[0] / np.min(medians[1:], axis=0), [0.05, 0.95])
    side = ">" if cost >= budget else "<" if other >= budget else ""
    return f"{side}{cost / other:.2f} ({low:.2f} to {high:.2f})"


def picture(runs: pandas.DataFrame) -> go.Figure:
    """The hypervolume that is missing against cost: medians and quartiles over seeds."""
    problems = list(dict.fromkeys(runs.problem))
    figure = make_subplots(-(-len(problems) // 2), min(2, len(problems)), subplot_titles=problems)
    colours = [*plotly.colors.qualitative.Safe, "#000000"]  # told apart by colour-blind readers; with dashes, in grey
    shown: set[str] = set()
    for number, problem in enumerate(problems):
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        for index, (colour, strategy) in enumerate(zip(colours, STRATEGIES, strict=True)):
            found = runs[(runs.problem == problem) & (runs.strategy == strategy)]
            if found.empty:
                continue
            costs = np.linspace(0, float(found.budget.iloc[0]), 121)[1:]
            curves = np.array([
                [1 - run[run.cost <= cost]["share"].max() if (run.cost <= cost).any() else 1.0 for cost in costs]
                for _, run in found.groupby("seed")
            ])  # fmt: skip
            low, middle, high = np.quantile(np.maximum(curves, 1e-5), [0.25, 0.5, 0.75], axis=0)
            figure.add_scatter(
                x=[*costs, *costs[::-1]], y=[*high, *low[::-1]], fill="toself", mode="lines", line_width=0,
                opacity=0.12, fillcolor=colour, showlegend=False, hoverinfo="skip", legendgroup=strategy, **place,
            )  # fmt: skip
            figure.add_scatter(
                x=costs, y=middle, mode="lines", line={"color": colour, "dash": DASHES[index % 4]}, name=strategy,
                legendgroup=strategy, showlegend=strategy not in shown, **place,
            )  # fmt: skip
            shown.add(strategy)
        figure.update_xaxes(title="cost, whole trainings", **place)
        figure.update_yaxes(title="missing hypervolume", type="log", exponentformat="power", **place)
    return figure.update_layout(template="plotly_white", height=420 * -(-len(problems) // 2))


def main(arguments: Iterable[str] | None = None) -> None:
    """Run what is missing, print the table, write Parquet and the picture."""
    options = parsed(parser_of("What searches cost, short evaluations allowed.", PROBLEMS, STRATEGIES), arguments)
    tasks = [
        (problem, strategy, seed)
        for problem in options.problems
        for seed in range(options.seeds)
        for strategy in options.strategies
    ]
    runs = collect(options.out / "fidelity.parquet", run, [] if options.show else tasks, options.processes)
    picture(runs).write_html(options.out / "fidelity.html", include_plotlyjs=True)
    print(summary(runs))
    print(bars(runs))
    print(f"\n{quoted(runs)}")


if __name__ == "__main__":
    main()
