"""The border: everything that the explorer and the objectives may know of a simulator.

A simulator brings its own variables (:class:`Variable`), turns designs (:class:`Designs`) and a :class:`Workload`
into a :class:`Report`, and offers named :class:`View` s and :class:`ValidationCase` s. It is found by name through the
entry-point group ``reram_explorer.simulators``.
"""

from simulators.protocol.assumptions import Assumption, Assumptions
from simulators.protocol.discovery import (
    NETWORKS,
    OBJECTIVES,
    SIMULATORS,
    STRATEGIES,
    also_known,
    find_plugin,
    load_simulator,
    nearest,
    plugin_names,
    plugins,
    suggestion,
)
from simulators.protocol.errors import InputError
from simulators.protocol.folders import Folder, check_writable
from simulators.protocol.reports import Field, LazyColumns, Maps, ModelFile, Quantity, Report, Table, Text, View
from simulators.protocol.simulator import (
    Fidelity,
    HardwareSimulator,
    Simulator,
    TrainingSimulator,
    ValidationCase,
    Workload,
)
from simulators.protocol.user_files import executed, file_and_name, is_in_file, read_user_file
from simulators.protocol.variables import (
    BinaryVector,
    Bits,
    Categorical,
    Design,
    Designs,
    Domain,
    Integer,
    Value,
    Variable,
)
from simulators.protocol.wording import field_path, foremost, plain_words, shown

__all__ = [
    "NETWORKS",
    "OBJECTIVES",
    "SIMULATORS",
    "STRATEGIES",
    "Assumption",
    "Assumptions",
    "BinaryVector",
    "Bits",
    "Categorical",
    "Design",
    "Designs",
    "Domain",
    "Fidelity",
    "Field",
    "Folder",
    "HardwareSimulator",
    "InputError",
    "Integer",
    "LazyColumns",
    "Maps",
    "ModelFile",
    "Quantity",
    "Report",
    "Simulator",
    "Table",
    "Text",
    "TrainingSimulator",
    "ValidationCase",
    "Value",
    "Variable",
    "View",
    "Workload",
    "also_known",
    "check_writable",
    "executed",
    "field_path",
    "file_and_name",
    "find_plugin",
    "foremost",
    "is_in_file",
    "load_simulator",
    "nearest",
    "plain_words",
    "plugin_names",
    "plugins",
    "read_user_file",
    "shown",
    "suggestion",
]
