"""How a search stands, as metrics that Ray offers to Prometheus with its own."""

from __future__ import annotations

from ray.util.metrics import Gauge

from explorer.standing import Standing

__all__ = ["Metrics"]


class Metrics:
    """Gauges with the name of the study as a tag.

    Args:
        study: its name.
    """

    def __init__(self, study: str) -> None:
        self._tags = {"study": study}

        def gauge(name: str, meaning: str, *tags: str) -> Gauge:
            return Gauge(f"rex_{name}", meaning, ("study", *tags))

        self._evaluations = gauge("evaluations", "Evaluations that were run.")
        self._per_minute = gauge("evaluations_per_minute", "Evaluations run per minute, over five minutes.")
        self._running = gauge("running", "Evaluations that run now.")
        self._failures = gauge("failures", "Evaluations of this run that failed.", "kind")
        self._again = gauge("attempts_again", "Attempts of this run that were made once more.", "kind")
        self._workers = gauge("workers", "Workers that are ready.", "node")
        self._wanted = gauge("workers_wanted", "Workers that are wanted.")
        self._idle = gauge("idle_share", "Share of their time that workers had nothing to do.")
        self._remaining = gauge("remaining_seconds", "Time until the end of this phase; -1 while it cannot be told.")
        self._unsaved = gauge("unsaved", "Evaluations that wait to be written to the store.")
        self._nodes: set[str] = set()

    def tell(self, standing: Standing) -> None:
        """Show how a search stands."""
        crew, tags = standing.crew, self._tags
        self._evaluations.set(standing.finished, tags)
        self._per_minute.set(standing.per_minute, tags)
        self._running.set(standing.running, tags)
        for kind, number in standing.failures.items():
            self._failures.set(number, {**tags, "kind": kind})
        for kind, number in standing.again.items():
            self._again.set(number, {**tags, "kind": kind})
        ready = {node.node[:8]: node.ready for node in crew.nodes}
        self._nodes |= set(ready)
        for node in self._nodes:  # one that is gone has none
            self._workers.set(ready.get(node, 0), {**tags, "node": node})
        self._wanted.set(crew.wanted, tags)
        self._idle.set(crew.idle_share or 0.0, tags)
        self._remaining.set(-1.0 if standing.remaining_s is None else standing.remaining_s, tags)
        self._unsaved.set(standing.unsaved, tags)
