"""The one safe language for constraints, ``--where`` and ``--what-if``.

======================  ==============================================================================================
numbers                 ``1``, ``0.5``, ``1e-3``: SI, areas in mm2
with a unit             ``60 mm2``, ``1.6us``, ``44 nJ``, ``85 C``, ``358 K``, ``10 MHz``, ``90 %``
names                   variables, report fields, objectives; ``bn[5]`` is the fifth item of a vector; the unit that a
                        name ends with may be left out (``peak_temperature``), see :meth:`Expression.spelled_out`
words                   ``'SLC'`` or ``"SLC"``, for ``==``, ``!=`` and ``in``
arithmetic              ``+ - * / % **``; ``%`` directly behind a number is percent unless an operand follows
comparison              ``< <= > >= == !=``, also chained: ``1 <= x <= 3``; ``x in [64, 128]``, ``x not in (64, 128)``
logic                   ``and or not``, of conditions only
functions               ``sum count min max`` (items of a vector; several arguments), ``abs sqrt log exp``
======================  ==============================================================================================

Nothing else is read: no attributes, no other calls, and nothing is ever handed to Python's own evaluation.

    constraint = parse("reram_layers + sum(bn) <= 9")
    constraint.check({"reram_layers": "", "bn": ""})
    constraint.evaluate({"reram_layers": np.array([1, 3]), "bn": np.ones((2, 8))})  # [True, False]
    constraint.violation(...)                                                       # [0, 2]
"""

from explorer.expressions.expression import Expression, parse
from explorer.expressions.names import full_name
from explorer.expressions.syntax import ExpressionError

__all__ = ["Expression", "ExpressionError", "full_name", "parse"]
