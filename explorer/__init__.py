"""Which design is worth trying next, who evaluates it, what was found?

The search without Ray, storage or files is a problem, a strategy and a loop; :func:`run` adds workers, a study and a
search file around them::

    study = run("search.yaml", workers=2)
    print(study.front().to_pandas())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = [
    "BinaryVector",
    "Bits",
    "Budget",
    "Categorical",
    "Design",
    "Designs",
    "Evaluation",
    "Fidelity",
    "Front",
    "InputError",
    "Integer",
    "Problem",
    "Proposal",
    "Space",
    "Strategy",
    "Study",
    "Variable",
    "Workers",
    "front",
    "load_study",
    "make_strategy",
    "run",
]

# Names are imported when they are first used: `rex --help` must not wait for NumPy, pandas and Ray.
_HOMES = {
    **dict.fromkeys(
        ("BinaryVector", "Bits", "Categorical", "Design", "Designs", "Fidelity", "InputError", "Integer", "Variable"),
        "simulators.protocol",
    ),
    **dict.fromkeys(("Evaluation", "Proposal"), "explorer.evaluation"),
    **dict.fromkeys(("Front", "front"), "explorer.fronts"),
    "Budget": "explorer.budget",
    "Problem": "explorer.problem",
    "Space": "explorer.space",
    **dict.fromkeys(("Strategy", "make_strategy"), "explorer.strategies"),
    **dict.fromkeys(("Study", "load_study"), "explorer.study"),
    "Workers": "explorer.workers.wanted",
    "run": "explorer.launch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'explorer' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:
    from explorer.budget import Budget
    from explorer.evaluation import Evaluation, Proposal
    from explorer.fronts import Front, front
    from explorer.launch import run
    from explorer.problem import Problem
    from explorer.space import Space
    from explorer.strategies import Strategy, make_strategy
    from explorer.study import Study, load_study
    from explorer.workers.wanted import Workers
    from simulators.protocol import (
        BinaryVector,
        Bits,
        Categorical,
        Design,
        Designs,
        Fidelity,
        InputError,
        Integer,
        Variable,
    )
