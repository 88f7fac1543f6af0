"""Strategies side by side: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.strategies --out results``.

Every strategy searches the same instances from the same number of random designs, with the same caching: designs of one
family cost one evaluation together, and fronts are completed over families for all. Printed are, per problem and
strategy, the mean quality after 20 to 120 evaluations with its standard deviation over the instances, CPU seconds per
suggestion on one thread, and the share of suggestions that were repeats and had to be asked for again. For one
objective the quality is the gap to the optimum as a share of what random designs leave (the median of 1000); for
several it is the share of the exact front's hypervolume.

Each run is a Parquet file of its own in the folder, so that a run that was interrupted goes on; all in the folder
are ``runs.parquet``, the picture is ``convergence.html``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import pandas
import plotly.colors
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.archive import Archive
from explorer.evaluation import Evaluation
from explorer.problem import Problem
from explorer.strategies import make_strategy
from explorer.strategies.base import Strategy
from tests.benchmarks.binary_problems import PROBLEMS, Benchmark
from tests.benchmarks.runs import collect, hypervolume, parsed, parser_of

COUNTS = (20, 40, 60, 80, 120)
CHECKED = 1000  # random designs that a gap is relative to


def thompson(problem: Problem, seed: int, initial: int) -> Strategy:
    """The product's own."""
    return make_strategy("thompson-bqp", problem, seed, {"initial": initial})


def black_box(problem: Problem, seed: int, initial: int) -> Strategy:
    """The same without knowing which objectives are cheap."""
    return make_strategy("thompson-bqp", problem, seed, {"initial": initial, "grey_box": False})


STRATEGIES: dict[str, Callable[[Problem, int, int], Strategy]] = {
    "thompson-bqp": thompson,
    "thompson-bqp, black box": black_box,
    "random": lambda problem, seed, _: make_strategy("random", problem, seed),
    "annealing": lambda problem, seed, _: make_strategy("annealing", problem, seed),
    "nsga2": lambda problem, seed, initial: make_strategy("nsga2", problem, seed, {"population_size": initial}),
    "tpe": lambda problem, seed, initial: make_strategy("tpe", problem, seed, {"n_startup_trials": initial}),
    "gp-sampler": lambda problem, seed, initial: make_strategy(
        "gp-sampler", problem, seed, {"n_startup_trials": initial}
    ),
    "qlog-nehvi": lambda problem, seed, initial: make_strategy("qlog-nehvi", problem, seed, {"initial": initial}),
}


def suits(strategy: str, problem: str) -> bool:
    """Whether a comparison makes sense: annealing knows one objective, the last two several."""
    several = problem == "chip"
    if strategy == "annealing":
        return not several
    return several or strategy not in ("qlog-nehvi", "thompson-bqp, black box")


@lru_cache(maxsize=1)
def _benchmark(problem: str, seed: int) -> tuple[Benchmark, float]:
    """The instance, and what its quality is relative to: a random design's value, or the exact front's hypervolume."""
    made = PROBLEMS[problem](seed)
    if len(made.problem.objectives) > 1:
        return made, hypervolume(made.reference, made.reference, made.problem.objectives)
    designs = made.problem.space.unpack(made.problem.sample(np.random.default_rng([seed, 99]), CHECKED))
    (name,) = (objective.name for objective in made.problem.objectives)
    measured = [made.problem.measure(design, None, 0).objectives[name] for design in designs]
    return made, float(np.median(measured))


def run(problem: str, strategy: str, seed: int, evaluations: int) -> pandas.DataFrame:
    """One search: a row per evaluation that cost something."""
    benchmark, baseline = _benchmark(problem, seed)
    searched = STRATEGIES[strategy](benchmark.problem, seed, benchmark.initial)
    archive, families, news, rows, spent = Archive(benchmark.problem), set[str](), list[Evaluation](), [], 0.0
    for _ in range(20 * evaluations):  # members of known families cost nothing, but not without end
        began = time.process_time()
        searched.update(news, [])
        proposals = searched.suggest(1)
        spent += time.process_time() - began
        if not proposals:
            break
        news = [benchmark.problem.evaluate(proposals[0])]
        archive.add(news[0])
        if news[0].family in families:
            continue
        families.add(news[0].family)
        rows.append((len(families), _quality(benchmark, baseline, archive), spent, searched.repeats))
        spent = 0.0
        if len(families) == evaluations:
            break
    found = pandas.DataFrame(rows, columns=["evaluation", "quality", "suggestion_cpu_s", "repeats"])
    return found.assign(problem=problem, strategy=strategy, seed=seed)


def _quality(benchmark: Benchmark, baseline: float, archive: Archive) -> float:
    front = archive.front.matrix
    if front.shape[1] > 1:
        return hypervolume(front, benchmark.reference, benchmark.problem.objectives) / baseline
    optimum = benchmark.reference[0, 0]
    return float(max(0.0, (optimum - front[0, 0]) / (optimum - baseline)))


def summary(runs: pandas.DataFrame) -> str:
    """The table."""
    lines = []
    for problem, of_problem in runs.groupby("problem", sort=False):
        several = problem == "chip"
        lines.append(f"\n{problem}: " + ("share of the exact hypervolume" if several else "gap to the optimum"))
        header = "".join(f"{f'after {count}':>16}" for count in COUNTS)
        lines.append(f"{'':<26}{header}{'optimum':>9}{'CPU s':>8}{'repeats':>9}{'runs':>6}")
        for strategy in STRATEGIES:
            found = of_problem[of_problem.strategy == strategy]
            if found.empty:
                continue
            cells = ""
            for count in COUNTS:
                at = _quality_at(found, count)
                cells += f"{f'{at.mean():.3f} ± {at.std(ddof=0):.3f}':>16}"
            last = found[found.evaluation == found.groupby("seed").evaluation.transform("max")]
            later = found[found.evaluation > 20].suggestion_cpu_s
            suggested = "-" if later.empty else f"{later.mean():.3f}"
            repeats = (last.repeats / (last.repeats + last.evaluation)).mean()
            hit = "-" if several else f"{(last.quality <= 1e-9).mean():.0%}"
            lines.append(f"{strategy:<26}{cells}{hit:>9}{suggested:>8}{repeats:>9.0%}{len(last):>6}")
    return "\n".join(lines)


def _quality_at(runs: pandas.DataFrame, count: int) -> pandas.Series:
    """Per seed the quality after ``count`` evaluations (of a search that ended earlier, at its end)."""
    return runs[runs.evaluation <= count].sort_values("evaluation").groupby("seed").quality.last()


def picture(runs: pandas.DataFrame) -> go.Figure:
    """Convergence: the mean over instances and its standard deviation."""
    problems = list(dict.fromkeys(runs.problem))
    columns = min(2, len(problems))
    figure = make_subplots(-(-len(problems) // columns), columns, subplot_titles=problems)
    colours = plotly.colors.qualitative.D3
    for number, problem in enumerate(problems):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        for colour, strategy in zip(colours, STRATEGIES, strict=False):
            found = runs[(runs.problem == problem) & (runs.strategy == strategy)]
            if found.empty:
                continue
            curves = found.pivot_table(index="evaluation", columns="seed", values="quality").ffill()
            mean, deviation = curves.mean(axis=1), curves.std(axis=1, ddof=0)
            style = {"legendgroup": strategy, "name": strategy, "line_color": colour}
            figure.add_scatter(
                x=[*mean.index, *mean.index[::-1]], y=[*(mean + deviation), *(mean - deviation)[::-1]], fill="toself",
                mode="lines", line_width=0, opacity=0.15, fillcolor=colour, showlegend=False, hoverinfo="skip",
                legendgroup=strategy, **place,
            )  # fmt: skip
            shown = strategy not in {trace.name for trace in figure.data if trace.showlegend is not False}
            figure.add_scatter(x=mean.index, y=mean, mode="lines", showlegend=shown, **style, **place)
        figure.update_xaxes(title="evaluations", **place)
        figure.update_yaxes(title="share of hypervolume" if problem == "chip" else "gap", **place)
    return figure.update_layout(template="plotly_white", height=380 * -(-len(problems) // columns))


def main(arguments: Iterable[str] | None = None) -> None:
    """Run what is missing, print the table, write Parquet and the picture."""
    parser = parser_of("Strategies side by side.", PROBLEMS, STRATEGIES)
    parser.add_argument("--evaluations", type=int, default=COUNTS[-1])
    options = parsed(parser, arguments)
    tasks = [
        (problem, strategy, seed, options.evaluations)
        for problem in options.problems
        for seed in range(options.seeds)
        for strategy in options.strategies
        if suits(strategy, problem)
    ]
    runs = collect(options.out / "runs.parquet", run, [] if options.show else tasks, options.processes)
    picture(runs).write_html(options.out / "convergence.html", include_plotlyjs=True)
    print(summary(runs))


if __name__ == "__main__":
    main()
