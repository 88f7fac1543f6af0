"""A user's own network: a function in a Python file that builds a PyTorch module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from simulators.protocol import InputError, Workload, executed, file_and_name, suggestion
from simulators.workloads.datasets import dataset_shape
from simulators.workloads.network import Network

__all__ = ["own_network"]

GIVEN = ("in_channels", "in_size", "classes")


@lru_cache(maxsize=16)
def own_network(workload: Workload) -> Network:
    """The layer table of the module that the function builds which a workload names, with its batch normalisations.

    Whichever of ``in_channels``, ``in_size`` and ``classes`` the function has as parameters are given to it, and the
    workload's options.

    Args:
        workload: with the text of the file (:meth:`Workload.with_source`).

    Raises:
        InputError: the file or the function fails, or what it builds is no network that a table can say.
    """
    from torch import nn  # takes seconds: only who has an own network waits

    from simulators.workloads.tracing import traced

    file, name = file_and_name(workload.network, "network")
    written = vars(executed(workload.source, file, "network"))
    build = written.get(name)
    if not callable(build):
        known = [key for key, value in written.items() if callable(value)]
        raise InputError(f"network '{name}' is no function of '{file}'{suggestion(name, known)}")
    shape = dataset_shape(workload.dataset)
    size, classes = workload.input_size or shape.size, workload.classes or shape.classes
    values = dict(zip(GIVEN, (shape.channels, size, classes), strict=True))
    arguments = _arguments(workload.network, build, values, dict(workload.options))
    try:
        module = build(**arguments)
    except Exception as error:
        raise InputError(f"network '{workload.network}' fails to build: {type(error).__name__}: {error}") from error
    if not isinstance(module, nn.Module):
        raise InputError(f"network '{workload.network}' gives {module!r:.60}; it has to give a torch.nn.Module")
    network = traced(module, workload.network, shape.channels, size)
    if network.layers[-1].out_channels != classes:
        given = f"{network.layers[-1].out_channels} scores, {workload.dataset} has {classes} classes"
        raise InputError(f"network '{workload.network}' gives {given}: let the function have a parameter 'classes'")
    return network


def _arguments(
    network: str, build: Callable[..., Any], values: Mapping[str, object], options: Mapping[str, str]
) -> dict[str, object]:
    parameters = inspect.signature(build).parameters
    for name in options:
        if name not in parameters or name in GIVEN:
            known = [parameter for parameter in parameters if parameter not in GIVEN]
            raise InputError(f"network '{network}' has no option '{name}'{suggestion(name, known)}")
    arguments = {name: value for name, value in {**values, **options}.items() if name in parameters}
    for name, parameter in parameters.items():
        needed = parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        if needed and name not in arguments:
            raise InputError(
                f"network '{network}': nothing to give for its parameter '{name}'; it may have {', '.join(GIVEN)}, "
                "options of the workload, and others with a default"
            )
    return arguments
