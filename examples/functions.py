"""A search without Ray, storage or files: a problem made of plain functions, a strategy, and a loop."""

from explorer import BinaryVector, Categorical, Fidelity, Integer, Problem, Space, front, make_strategy


def accuracy(design, epochs):
    """Stands for a training: more normalisation learns better, with diminishing returns; so do more epochs."""
    return (1 - 0.6 ** (1 + sum(design["bn"]))) * (1 - 0.5**epochs)


def latency(designs):
    """Known exactly, for a batch of designs at once: normalisation takes time, ReRAM layers save it."""
    return 1e-6 * (1 + designs["bn"].sum(axis=1)) / designs["reram_layers"]


space = Space(
    {"bn": BinaryVector(8), "crossbar_size": Categorical([64, 128, 256]), "reram_layers": Integer(1, 3)},
    constraints=["reram_layers + sum(bn) <= 9"],
)
problem = Problem.from_functions(
    space,
    {"accuracy": accuracy, "latency": latency},
    directions={"accuracy": "maximize", "latency": "minimize"},
    units={"accuracy": "fraction", "latency": "s"},
    cheap={"latency"},  # never modelled; a parameter called `designs` takes a whole batch
    reads={"accuracy": ["bn"]},  # designs that share these share their accuracy
    fidelity=Fidelity("epochs", 1, 20),
)
strategy = make_strategy("tpe", problem, seed=0)
evaluations = []
for _ in range(40):
    for proposal in strategy.suggest(1):
        evaluations.append(problem.evaluate(proposal))
        strategy.update(finished=evaluations[-1:], running=[])
print(front(problem, evaluations))
