"""A layer table from any PyTorch module: what it computes is traced (``torch.fx``), not read from its code.

This module imports torch; nothing in :mod:`simulators.workloads` imports it unasked.
"""

from __future__ import annotations

import copy
import operator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.modules.lazy import LazyModuleMixin

from simulators.protocol import InputError
from simulators.workloads.modules import ResidualSum, Subsample
from simulators.workloads.network import IMAGE, Layer, Network

__all__ = ["traced"]

SHAPE = "shape"  # what a step gives; None where it gives several tensors, missing where it gives none
IMAGES = 2  # that are traced together: one alone would hide what is done across a batch

RELU: tuple[object, ...] = (nn.ReLU, functional.relu, torch.relu, torch.relu_, "relu", "relu_")
FLATTEN: tuple[object, ...] = (nn.Flatten, torch.flatten, "flatten", "view", "reshape", "contiguous", "squeeze")
SUM: tuple[object, ...] = (operator.add, operator.iadd, torch.add, "add", "add_", ResidualSum)
MAX_POOL: tuple[object, ...] = (nn.MaxPool2d, functional.max_pool2d, torch.max_pool2d)
AVERAGE_POOL: tuple[object, ...] = (
    nn.AvgPool2d, nn.AdaptiveAvgPool2d, functional.avg_pool2d, functional.adaptive_avg_pool2d, "mean", torch.mean,
)  # fmt: skip
NOTHING: tuple[object, ...] = (nn.Identity, nn.Dropout, nn.Dropout2d, functional.dropout)

AFTER = "a ReLU must follow a convolution, its batch normalisation, a sum or a linear layer"
SUPPORTED = (
    "convolutions, batch normalisation behind a convolution, ReLU, max and average pools, sums of two, flattening and "
    "linear layers"
)


def traced(module: nn.Module, name: str, in_channels: int, in_size: int) -> Network:
    """The layer table of a module, with its placement of batch normalisation.

    Args:
        module: takes images, ``batch x in_channels x in_size x in_size``, and gives class scores, ``batch x classes``.
        name: of the network.
        in_channels, in_size: of an image.

    Raises:
        InputError: it does something that a table cannot say; the message names where and what.
    """
    for part, lazy in module.named_modules():
        if isinstance(lazy, LazyModuleMixin) and lazy.has_uninitialized_params():  # type: ignore[misc]  # PyTorch's
            what = f"'{part}' ({type(lazy).__name__})"
            raise InputError(f"{name}: {what} is not supported: write how many channels or features it reads")
    try:
        graph = _Tracer().trace(module)
    except Exception as error:  # of the user's own code
        raise InputError(
            f"{name}: cannot be traced ({type(error).__name__}: {error}); what it computes must not depend on the "
            "values or number of images"
        ) from error
    empty = fx.GraphModule(copy.deepcopy(module).to("meta").eval(), graph)
    size = (in_channels, in_size, in_size)
    _Shapes(empty, name, " x ".join(map(str, size))).run(torch.empty(IMAGES, *size, device="meta"))
    return _Table(module, name, in_channels, in_size).of(graph)


class _Tracer(fx.Tracer):
    """Looks into modules, but not into those that a table has a row for."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Subsample | ResidualSum) or super().is_leaf_module(m, module_qualified_name)


class _Shapes(fx.Interpreter):
    """Notes the shape of every tensor at the step that gives it, and computes nothing."""

    def __init__(self, module: fx.GraphModule, name: str, images: str) -> None:
        super().__init__(module)
        self.extra_traceback = False
        self._name, self._images = name, images

    def run_node(self, n: fx.Node) -> Any:
        try:
            result = super().run_node(n)
        except Exception as error:  # of the user's own code
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(f"{self._name}: '{n.target}' fails on images of {self._images}: {reason}") from error
        if isinstance(result, Tensor):
            n.meta[SHAPE] = tuple(result.shape)
        elif isinstance(result, tuple | list) and any(isinstance(part, Tensor) for part in result):
            n.meta[SHAPE] = None
        return result


class _Table:
    """Rows, added step by step."""

    def __init__(self, module: nn.Module, name: str, in_channels: int, in_size: int) -> None:
        self._module, self._name, self._in_channels, self._in_size = module, name, in_channels, in_size
        self._layers: dict[str, Layer] = {}
        self._of: dict[fx.Node, str] = {}  # the layer whose output a step gives; without those that give no tensor
        self._made: dict[str, fx.Node] = {}  # the step that gives it first
        self._bn: dict[str, int] = {}  # by convolution, in their order
        self._seen: set[str] = set()  # modules with weights

    def of(self, graph: fx.Graph) -> Network:
        """The whole table.

        Raises:
            InputError: something is not supported.
        """
        for node in graph.nodes:
            if node.op == "placeholder":
                if self._of:
                    raise InputError(f"{self._name}: takes more than images: {node.target}")
                self._of[node] = IMAGE
            elif node.op == "output":
                self._check_end(node)
            elif SHAPE in node.meta:  # sizes and the like give no tensor
                self._add(node)
        layers, bn = tuple(self._layers.values()), tuple(self._bn.values())
        return Network(self._name, layers, self._in_channels, self._in_size, bn)

    def _add(self, node: fx.Node) -> None:
        step, what = self._step(node)
        if node.meta[SHAPE] is None:
            raise self._unsupported(node, "it gives several tensors")
        for kinds, row in (
            ((nn.Conv2d,), self._convolution), ((nn.BatchNorm2d,), self._normalisation), (RELU, self._relu),
            (MAX_POOL, self._max_pool), (AVERAGE_POOL, self._average_pool), (SUM, self._sum),
            ((nn.Linear,), self._linear), ((Subsample,), self._subsample), (FLATTEN, self._flatten),
            (NOTHING, self._nothing),
        ):  # fmt: skip
            if what in kinds:
                row(node, step)
                return
        raise self._unsupported(node, f"supported are {SUPPORTED}")

    def _step(self, node: fx.Node) -> tuple[Any, object]:
        """The module or function of a step, and what it is known as."""
        if node.op == "call_module":
            module = self._module.get_submodule(str(node.target))
            return module, type(module)
        return node.target, node.target

    # -- rows -------------------------------------------------------------------------------------------------------

    def _convolution(self, node: fx.Node, step: nn.Conv2d) -> None:
        self._once(node)
        if step.groups != 1 or step.padding_mode != "zeros" or self._pair(node, step.dilation) != 1:
            raise self._unsupported(node, "groups and dilation must be 1, padding of zeros")
        kernel, stride = self._pair(node, step.kernel_size), self._pair(node, step.stride)
        padding = step.padding
        if isinstance(padding, str):
            if padding == "same" and kernel % 2 == 0:
                raise self._unsupported(node, "'same' padding needs an odd kernel")
            padding = (kernel // 2, kernel // 2) if padding == "same" else (0, 0)
        layer = self._row(
            node, "C", "convolution", kernel=kernel, stride=stride, padding=self._pair(node, padding),
            bias="without_bn" if step.bias is None else "always",
        )  # fmt: skip
        self._bn[layer.name] = 0

    def _normalisation(self, node: fx.Node, step: object) -> None:  # noqa: ARG002  # all rows take it
        self._once(node)
        source, layer = self._source(node)
        if layer is None or layer.kind != "convolution" or layer.activation or self._bn[layer.name]:
            raise self._unsupported(node, "a batch normalisation must follow a convolution directly")
        self._check_alone(node, source)
        self._bn[layer.name] = 1
        self._of[node] = layer.name

    def _relu(self, node: fx.Node, step: object) -> None:  # noqa: ARG002  # as above
        source, layer = self._source(node)
        self._of[node] = self._of[source]
        pools: list[fx.Node] = []
        while layer is not None and layer.kind == "max_pool":  # before it is as good as behind it
            self._check_alone(node, source, *pools)
            pools.append(self._made[layer.name])
            source, layer = self._source(pools[-1])
        if layer is not None and layer.activation:
            return  # twice is once
        if layer is None or layer.kind not in ("convolution", "linear", "add"):
            raise self._unsupported(
                node, "a ReLU must follow a convolution, its batch normalisation, a sum or a linear layer"
            )
        self._check_alone(node, source, *pools)
        self._layers[layer.name] = replace(layer, activation=True)

    def _max_pool(self, node: fx.Node, step: Any) -> None:
        given = _arguments(node, step, "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
        kernel = self._pair(node, given.get("kernel_size"))
        stride, padding = self._pair(node, given.get("stride") or kernel), self._pair(node, given.get("padding", 0))
        if self._pair(node, given.get("dilation", 1)) != 1 or given.get("ceil_mode") or given.get("return_indices"):
            raise self._unsupported(node, "dilation must be 1, ceil_mode and return_indices off")
        self._row(node, "P", "max_pool", kernel=kernel, stride=stride, padding=padding)

    def _average_pool(self, node: fx.Node, step: Any) -> None:
        """Adaptive, or one that an adaptive one does alike; the mean over all pixels is one to a single pixel."""
        source, _ = self._source(node)
        if len(_shape(source)) != 4:
            raise self._unsupported(node, "averages are taken over pixels only")
        in_size, out = _shape(source)[-1], _shape(node)
        if _is_mean(step):
            dimensions = _arguments(node, step, "dim", "keepdim").get("dim")
            if not isinstance(dimensions, tuple | list) or sorted(int(d) % 4 for d in dimensions) != [2, 3]:
                raise self._unsupported(node, "averages are taken over both dimensions of the pixels")
            self._row(node, "A", "average_pool", size=1)
            return
        if isinstance(step, nn.AvgPool2d) or step is functional.avg_pool2d:
            given = _arguments(node, step, "kernel_size", "stride", "padding")
            kernel = self._pair(node, given.get("kernel_size"))
            stride = self._pair(node, given.get("stride") or kernel)
            if (kernel, self._pair(node, given.get("padding", 0))) != (stride, 0) or in_size % kernel:
                raise self._unsupported(node, "windows of an average pool must tile the image: stride as large as they")
        self._row(node, "A", "average_pool", size=out[-1])

    def _sum(self, node: fx.Node, step: object) -> None:
        sources = [argument for argument in node.args if isinstance(argument, fx.Node) and argument in self._of]
        others = [argument for argument in (*node.args, *node.kwargs.values()) if argument not in sources]
        if len(sources) != 2 or others or _shape(sources[0]) != _shape(sources[1]):
            raise self._unsupported(node, "sums are of two tensors of one shape")
        activation = isinstance(step, ResidualSum) and step.activation
        self._row(node, "R", "add", activation=activation)

    def _linear(self, node: fx.Node, step: nn.Linear) -> None:  # noqa: ARG002  # as above
        self._once(node)
        source, _ = self._source(node)
        if len(_shape(source)) != 2:
            raise self._unsupported(node, "flatten what a linear layer reads")
        self._row(node, "F", "linear", size=1)

    def _subsample(self, node: fx.Node, step: Subsample) -> None:
        self._row(node, "S", "subsample", stride=step.stride)

    def _flatten(self, node: fx.Node, step: object) -> None:  # noqa: ARG002  # as above
        source, _ = self._source(node)
        shape, before = _shape(node), _shape(source)
        kept = shape == before or (len(shape) == 2 and shape[0] == before[0] == IMAGES)
        if not kept:
            raise self._unsupported(node, "tensors may be flattened to images x features only")
        self._of[node] = self._of[source]

    def _nothing(self, node: fx.Node, step: Any) -> None:
        source, _ = self._source(node)
        if not isinstance(step, nn.Identity) and _arguments(node, step, "p").get("p", 0.5):
            raise self._unsupported(node, "tables have no dropout, so that what is trained would lack it: take it out")
        self._of[node] = self._of[source]

    def _row(self, node: fx.Node, prefix: str, kind: Any, size: int | None = None, **rest: Any) -> Layer:
        names = [self._of[argument] for argument in node.args if isinstance(argument, fx.Node)]
        out, (in_channels, in_size) = _shape(node), self._pixels(names[0])
        if len(out) == 4 and out[2] != out[3]:
            raise self._unsupported(node, f"it gives {out[2]} x {out[3]} pixels: tables are of squares")
        if kind == "linear":
            in_channels, in_size = in_channels * in_size**2, 1
        number = 1 + sum(layer.kind == kind for layer in self._layers.values())
        out_size = size if size is not None else self._pixels_of(node, names[0])
        layer = Layer(f"{prefix}{number}", kind, tuple(names), in_channels, out[1], in_size, out_size, **rest)
        self._layers[layer.name] = layer
        self._of[node], self._made[layer.name] = layer.name, node
        return layer

    # -- what is there ------------------------------------------------------------------------------------------------

    def _source(self, node: fx.Node) -> tuple[fx.Node, Layer | None]:
        """What a step reads, and the layer that gives it: None for images."""
        source = node.args[0] if node.args else node.kwargs.get("input")
        if not isinstance(source, fx.Node) or source not in self._of:
            raise self._unsupported(node, "it reads no image")
        return source, self._layers.get(self._of[source])

    def _pixels(self, name: str) -> tuple[int, int]:
        """Channels and size of what a layer gives."""
        if name == IMAGE:
            return self._in_channels, self._in_size
        return self._layers[name].out_channels, self._layers[name].out_size

    def _pixels_of(self, node: fx.Node, source: str) -> int:
        shape = _shape(node)
        return shape[-1] if len(shape) == 4 else self._pixels(source)[1]

    def _once(self, node: fx.Node) -> None:
        if str(node.target) in self._seen:
            raise self._unsupported(node, "it is used twice: tables have no shared weights")
        self._seen.add(str(node.target))

    def _check_alone(self, node: fx.Node, source: fx.Node, *on_the_way: fx.Node) -> None:
        """What a step changes is read by nothing but it (and steps on the way to it), from where it was computed on."""
        same = {one for one, name in self._of.items() if name == self._of[source]}
        allowed = {node, *on_the_way, *same}
        if any(SHAPE in user.meta and user not in allowed for one in same - {node} for user in one.users):
            raise self._unsupported(node, f"what it reads ({source.name}) is used elsewhere, too")

    def _check_end(self, node: fx.Node) -> None:
        (last,) = node.args
        layer = self._layers.get(self._of.get(last, "")) if isinstance(last, fx.Node) else None
        if layer is None or layer.kind != "linear":
            raise InputError(f"{self._name}: must end with a linear layer that gives one score for each class")
        if layer.name != next(reversed(self._layers)):
            raise InputError(f"{self._name}: computes layers that its scores do not depend on")

    def _pair(self, node: fx.Node, value: object) -> int:
        """A number for both directions."""
        values = set(value) if isinstance(value, tuple | list) else {value}
        if len(values) != 1:
            raise self._unsupported(node, f"{value} differs between the directions: tables are of squares")
        (number,) = values
        if isinstance(number, bool) or not isinstance(number, int):
            raise self._unsupported(node, f"{number!r} is no whole number")
        return number

    def _unsupported(self, node: fx.Node, why: str) -> InputError:
        step, _ = self._step(node)
        what = type(step).__name__ if isinstance(step, nn.Module) else getattr(step, "__name__", str(step))
        where = f"'{node.target}' ({what})" if isinstance(step, nn.Module) else f"{what} ({node.name})"
        return InputError(f"{self._name}: {where} is not supported: {why}")


def _is_mean(step: object) -> bool:
    return step in ("mean", torch.mean)


def _shape(node: fx.Node) -> tuple[int, ...]:
    shape: tuple[int, ...] = node.meta[SHAPE]
    return shape


def _arguments(node: fx.Node, step: object, *names: str) -> dict[str, Any]:
    """Arguments by name: attributes of a module, or what a function is called with after its first argument."""
    if isinstance(step, nn.Module):
        return {name: getattr(step, name) for name in names if hasattr(step, name)}
    return {**dict(zip(names, node.args[1:], strict=False)), **{k: v for k, v in node.kwargs.items() if k in names}}
