"""A strategy of one's own: take a design of the front and change one thing.  strategy: hill-climbing"""

from explorer import Design, InputError, Strategy, front


class HillClimbing(Strategy):
    """Changes one variable of a random design of the front; draws at random where that leads to nothing new."""

    name = "hill-climbing"

    def __init__(self, problem, seed=0, options=None):
        super().__init__(problem, seed, options)
        self._finished = []
        for option in self.options:
            raise InputError("hill climbing has no options", f"strategy.options.{option}")

    def update(self, finished, running):
        super().update(finished, running)
        self._finished += finished

    def suggest(self, count):
        best = [point.design for point in front(self.problem, self._finished)]
        proposals = (self._beside(best) or self.anything_new() for _ in range(count))
        return [proposal for proposal in proposals if proposal]

    def _beside(self, best):
        (other,) = self.problem.space.unpack(self.problem.sample(self._rng, 1))
        parent = best[self._rng.integers(len(best))] if best else other
        name = self._rng.choice([name for name in parent if parent[name] != other[name]] or list(parent))
        child = Design({**parent, name: other[name]})
        return self.propose(child) if not self.problem.why_infeasible(child) else None
