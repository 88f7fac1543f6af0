"""Which number do I care about, and which way is better?

An objective is a small function whose parameter names say what it reads: ``hardware`` and ``training`` are the reports
of the simulators of that kind, a simulator's name is that simulator's report, ``designs`` are the designs themselves::

    @objective(direction="minimize", unit="J s")
    def energy_delay_product(hardware):
        return hardware.energy_j * hardware.latency_s
"""

from objectives.objective import Objective, find_objective, objective, objective_names

__all__ = ["Objective", "find_objective", "objective", "objective_names"]
