"""How each of PyTorch's basic operations changes what the elements of tensors see.

Operations are those that reach PyTorch's kernels (`aten`): a module, a function, a method, with
or without an underscore, scripted or not, all come down to them. What works on each element alone
PyTorch itself marks as such; the tables below hold the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnnviz.inside.field_bounds import (
    TRUE,
    Seen,
    Taps,
    compact,
    everything,
    gather,
    nothing,
    over,
    shares,
    span,
    spread,
    together,
    window,
)
from cnnviz.inside.field_memory import Unknown


@dataclass(frozen=True)
class Operation:
    """One call of a basic operation.

    Attributes:
        name: without what tells its forms apart, such as "add" of "add_" and "add.Tensor".
        values: arguments by name.
        seen: what the tensors among the arguments see, by their id; not of those that do not
            depend on the input.
        gates: whether what a map gets as one number for a channel counts.
    """

    name: str
    function: Callable[..., Any]
    values: Mapping[str, Any]
    seen: Mapping[int, Seen]
    gates: bool

    def of(self, argument: str) -> Seen:
        """What an argument sees, perhaps nothing."""
        tensor = self.values[argument]
        seen = self.seen.get(id(tensor))
        return nothing(tensor.shape) if seen is None else seen

    def depends(self, *arguments: str) -> bool:
        return any(id(self.values.get(argument)) in self.seen for argument in arguments)


Rule = Callable[[Operation, Tensor], Seen]


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in an argument or result."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)


def rule_of(operation: Operation) -> Rule:
    """Raises:
    Unknown: there is none.
    """
    if operation.name in ("max", "min") and "other" in operation.values:
        return _each_alone
    rule = _RULES.get(operation.name)
    if rule is None and _has_tag(operation, torch.Tag.pointwise):
        return _each_alone
    if rule is None:
        raise Unknown(f"what '{operation.name}' does to positions is not known here")
    return rule


def _has_tag(operation: Operation, tag: torch.Tag) -> bool:
    """Whether PyTorch marks the operation so, or the same one that does not work in place."""
    packet = getattr(torch.ops.aten, operation.name, None)
    tags = list(operation.function.tags)
    for overload in packet.overloads() if packet is not None else ():
        tags += getattr(packet, overload).tags
    return tag in tags


def only_enlarges(operation: Operation) -> bool:
    """Whether it gives pixels to several units each, or sets maps to a common scale, no more."""
    if operation.name == "convolution" and operation.values["transposed"]:
        kernel = operation.values["weight"].shape[2:]
        strides = [_along(operation.values["stride"], axis) for axis in range(len(kernel))]
        return all(size <= stride for size, stride in zip(kernel, strides, strict=True))
    return operation.name.startswith(("upsample_nearest", "native_group_norm"))


def apply(rule: Rule, operation: Operation, output: Tensor, first: Tensor) -> Seen:
    """What one of the outputs sees; such as the variance beside what was normalised.

    Args:
        first: the first of the outputs, of which the rule tells.
    """
    if output.shape == first.shape:
        return rule(operation, output)
    return _all(operation, output)


def _each_alone(operation: Operation, output: Tensor) -> Seen:
    given = [t for t in tensors(list(operation.values.values())) if id(t) in operation.seen]
    unique = list({id(t): t for t in given}.values())
    parts = [operation.seen[id(tensor)] for tensor in unique]
    if not operation.gates and len(parts) > 1:
        parts = [
            part
            for tensor, part in zip(unique, parts, strict=True)
            if not any(_is_gate(tensor, part, other) for other in parts if other is not part)
        ]
    return together(parts, output.shape)


def _is_gate(tensor: Tensor, seen: Seen, of: Seen) -> bool:
    """Whether this is one number for each channel, all of which see the same, for maps `of`."""
    bounds = [compact(bound) for bound in seen.bounds[:TRUE]]
    if any((bound != bound.flatten()[0]).any() for bound in bounds):
        return False
    sizes = [
        1 if step == 0 else size for size, step in zip(tensor.shape, tensor.stride(), strict=True)
    ]
    sizes = [1] * (len(of.shape) - len(sizes)) + sizes
    if sum(size > 1 for size in sizes[1:]) > 1:
        return False
    return any(_varies(of, dim) for dim, size in enumerate(sizes) if dim and size == 1)


def _varies(seen: Seen, dim: int) -> bool:
    bounds = [compact(bound) for bound in seen.bounds[:TRUE]]
    return any(bool((b.amin(dim) != b.amax(dim)).any()) for b in bounds if dim < b.dim())


def _all(operation: Operation, output: Tensor) -> Seen:
    parts = [everything(seen, output.shape) for seen in operation.seen.values()]
    return together(parts, output.shape)


def _dims(operation: Operation, rank: int) -> list[int]:
    """The dimensions that an operation names; all of them if it names none."""
    dims = operation.values.get("dim")
    if isinstance(dims, int):
        return [dims]
    return list(dims) if dims else list(range(rank))


def _first(operation: Operation) -> Seen:
    """What the argument sees that comes first, such as "self" or "input"."""
    return operation.of(next(iter(operation.values)))


def _reduced(operation: Operation, output: Tensor) -> Seen:
    """All along some dimensions together, which are left out or kept: sum, softmax, sort."""
    seen = _first(operation)
    rank = len(seen.shape)
    dims = [dim % max(rank, 1) for dim in _dims(operation, rank)]
    joint = over(seen, dims)
    if output.dim() < rank:
        kept = [size for dim, size in enumerate(joint.shape) if dim not in dims]
        joint = joint.each(lambda bound: bound.squeeze(dims)).expand(kept)
    return joint.expand(output.shape)


def _last_reduced(operation: Operation, output: Tensor) -> Seen:
    """Along the last dimension if none is named, as `topk` and `sort` work."""
    joint = over(_first(operation), [operation.values.get("dim", -1)])
    return joint.expand(output.shape)


def _so_far(operation: Operation, output: Tensor) -> Seen:
    """What has come up to here along a dimension: cumsum."""
    dim = operation.values["dim"]
    return _first(operation).each(lambda bound: bound.cummin(dim).values)


# Windows


def _along(value: Sequence[int], axis: int) -> int:
    """Sizes are given for each dimension, or one for all."""
    return value[axis if len(value) > 1 else 0]


def _convolved(operation: Operation, output: Tensor) -> Seen:
    values = operation.values
    kernel, groups = values["weight"].shape[2:], values["groups"]
    channels = output.shape[1]
    seen = operation.of("input").each(lambda bound: _grouped(bound, groups, channels))
    make = spread if values["transposed"] else window
    for axis, size in enumerate(kernel):
        options = {name: _along(values[name], axis) for name in ("stride", "padding", "dilation")}
        seen = gather(seen, axis - len(kernel), make(output.shape[2 + axis], size, **options))
    parts = [seen.expand(output.shape)]
    if operation.depends("weight", "bias"):  # a filter that the network computes
        others = [name for name in ("weight", "bias") if operation.depends(name)]
        parts += [everything(operation.of(name), output.shape) for name in others]
    return together(parts, output.shape)


def _grouped(bound: Tensor, groups: int, channels: int) -> Tensor:
    """What output channels see, (N, channels, …), of the input channels of their group."""
    values = compact(bound)
    shape = bound.shape[0], channels, *bound.shape[2:]
    if values.shape[1] > 1:
        values = values.unflatten(1, (groups, -1)).amin(2)  # (N, groups, …)
        values = values.repeat_interleave(channels // groups, 1) if groups > 1 else values
    return values.expand(shape)


def _pooled(operation: Operation, output: Tensor) -> Seen:
    values, seen = operation.values, _first(operation)
    rank = len(values["kernel_size"]) if len(values["kernel_size"]) > 1 else _rank(operation)
    for axis in range(rank):
        kernel = _along(values["kernel_size"], axis)
        taps = window(
            output.shape[axis - rank],
            kernel,
            stride=_along(values["stride"] or [kernel], axis),
            padding=_along(values["padding"], axis),
            dilation=_along(values.get("dilation") or [1], axis),
        )
        seen = gather(seen, axis - rank, taps)
    return seen.expand(output.shape)


def _rank(operation: Operation) -> int:
    """How many dimensions an operation works along: 2 of "avg_pool2d"."""
    return next(rank for rank in (1, 2, 3) if f"{rank}d" in operation.name)


def _adaptive(operation: Operation, output: Tensor) -> Seen:
    seen, rank = _first(operation), _rank(operation)
    for dim in range(-rank, 0):
        if seen.shape[dim] != output.shape[dim]:
            seen = gather(seen, dim, shares(output.shape[dim], seen.shape[dim]))
    return seen.expand(output.shape)


def _resized(operation: Operation, output: Tensor) -> Seen:
    """Interpolation, whose taps are found by asking the operation itself."""
    seen, rank = _first(operation), _rank(operation)
    for axis in range(rank):
        dim = axis - rank
        size, units = seen.shape[dim], output.shape[dim]
        shape = [1, size, *[1] * rank]
        shape[2 + axis] = size
        probes = torch.zeros(size, size).fill_diagonal_(torch.nan).view(shape)  # one an element
        answers = operation.function(probes, **_options_along(operation, axis, rank, units))
        reached = answers.isnan().reshape(size, units).T  # (units, elements)
        seen = gather(seen, dim, span(reached))
    return seen


def _options_along(operation: Operation, axis: int, rank: int, units: int) -> dict[str, Any]:
    """Arguments of an interpolation that changes one dimension only."""
    options = dict(list(operation.values.items())[1:])
    own = ("scales",) if rank == 1 else (f"scales_{'dhw'[3 - rank + axis]}",)
    for name in options:
        if name.startswith("scales") and name not in own:
            options[name] = None
    options["output_size"] = [units if other == axis else 1 for other in range(rank)]
    return options


# Borders


def _padded(operation: Operation, output: Tensor) -> Seen:
    values, seen = operation.values, _first(operation)
    pads = values["pad"] if "pad" in values else values["padding"]
    for pair in range(len(pads) // 2):
        dim, (before, after) = -1 - pair, pads[2 * pair : 2 * pair + 2]
        if before or after:
            seen = gather(seen, dim, _border(operation.name, seen.shape[dim], before, after))
    return seen.expand(output.shape)


def _border(name: str, elements: int, before: int, after: int) -> Taps:
    index = torch.arange(-before, elements + after)[:, None]
    if name.startswith("reflection"):
        inside = (index.abs() - (elements - 1)).abs().neg() + (elements - 1)
    elif name.startswith("replication"):
        inside = index.clamp(0, elements - 1)
    else:
        inside = None
    return Taps(index, inside=inside)


# Matrices


def _product(operation: Operation, output: Tensor) -> Seen:
    """Rows of one matrix with columns of another, and what is added to them."""
    values = list(operation.values.values())
    matrices = [value for value in values if isinstance(value, Tensor)]
    *added, left, right = matrices
    parts = []
    for tensor, dim in ((left, -1), (right, -2 if right.dim() > 1 else -1)):
        if (seen := operation.seen.get(id(tensor))) is not None:
            joint = over(seen, [dim])
            if left.dim() > 1 and right.dim() == 1:  # a vector has no columns
                joint = joint.each(lambda bound: bound.squeeze(-1))
            parts.append(joint)
    parts += [operation.seen[id(t)] for t in added if id(t) in operation.seen]
    return together(parts, output.shape)


def _attention(operation: Operation, output: Tensor) -> Seen:
    """Each token sees itself and all of those that it looks at."""
    query = over(operation.of("query"), [-1])
    key = over(operation.of("key"), [-2, -1])
    return together([query, key, over(operation.of("value"), [-2])], output.shape)


def _recurrent(operation: Operation, output: Tensor) -> Seen:
    """Along time (T, N, F): what has come so far, from the end if reversed."""
    seen = over(operation.of("input"), [2])
    backwards = bool(operation.values["reverse"])

    def so_far(bound: Tensor) -> Tensor:
        ordered = bound.flip(0) if backwards else bound
        ordered = ordered.cummin(0).values
        return ordered.flip(0) if backwards else ordered

    return seen.each(so_far).expand(output.shape)


# Normalisation


def _batch_norm(operation: Operation, output: Tensor) -> Seen:
    """With statistics of its own, or of all positions of what comes in."""
    seen = operation.of("input")
    if not operation.values.get("training", True) or not operation.gates:
        return seen
    return over(seen, [dim for dim in range(output.dim()) if dim != 1]).expand(output.shape)


def _layer_norm(operation: Operation, output: Tensor) -> Seen:
    seen, rank = operation.of("input"), len(operation.values["normalized_shape"])
    if rank > 1 and not operation.gates:
        return seen
    return over(seen, range(-rank, 0)).expand(output.shape)


def _group_norm(operation: Operation, output: Tensor) -> Seen:
    seen = operation.of("input")
    if not operation.gates:
        return seen
    groups = operation.values["group"]

    def grouped(bound: Tensor) -> Tensor:
        values = compact(bound)
        return values if values.shape[1] == 1 else values.unflatten(1, (groups, -1)).amin(
            2, keepdim=True).expand(-1, -1, bound.shape[1] // groups, *values.shape[2:]).flatten(1, 2)  # fmt: skip

    mixed = seen.each(lambda bound: grouped(bound).expand(bound.shape))
    return over(mixed, range(2, output.dim())).expand(output.shape)


# What only moves elements

_FAR = 2**22  # whole numbers up to twice this are exact in 32 bits


def _moved(operation: Operation, output: Tensor) -> Seen:
    """Elements in other places, found by moving the bounds in the same way.

    0 is what an operation fills in, so it stands for seeing nothing.
    """
    if operation.values.get("accumulate"):
        return _all(operation, output)
    data = [t for t in tensors(list(operation.values.values())) if t.is_floating_point()]
    whole = {id(t): operation.seen.get(id(t)) or nothing(t.shape) for t in data}
    if any(number not in whole for number in operation.seen):
        return _all(operation, output)  # where to is itself computed from the input
    bounds = []
    for number in range(2 * TRUE):
        moving = {name: _with(value, whole, number) for name, value in operation.values.items()}
        placed = next(tensors(operation.function(**moving)))
        bounds.append(torch.where(placed == 0, torch.inf, placed + _FAR))
    rows, columns = zip(*(seen.jump for seen in operation.seen.values()), strict=True)
    return Seen(tuple(bounds), (max(rows), max(columns)))


def _with(value: Any, whole: Mapping[int, Seen], number: int) -> Any:
    """An argument with bounds in place of tensors."""
    if isinstance(value, Tensor):
        if id(value) not in whole:
            return value.cpu()
        bound = whole[id(value)].bounds[number]
        return torch.where(bound.isinf(), 0, bound - _FAR)
    if isinstance(value, list | tuple):
        return [_with(item, whole, number) for item in value]
    return value


def _joined(operation: Operation, output: Tensor) -> Seen:
    """Concatenation, along one dimension; the others stay as compact as they were."""
    given = [t for t in operation.values["tensors"] if t.numel()]
    dim = operation.values.get("dim", 0) % output.dim()
    parts = [operation.seen.get(id(t)) or nothing(t.shape) for t in given]
    bounds = []
    for several in zip(*(part.bounds for part in parts), strict=True):
        short = [compact(bound) for bound in several]
        sizes = [max(bound.shape[d] for bound in short) for d in range(output.dim())]
        pieces = []
        for bound, tensor in zip(short, given, strict=True):
            sizes[dim] = tensor.shape[dim]
            pieces.append(bound.expand(sizes))
        joined = torch.cat(pieces, dim)
        one = joined.narrow(dim, 0, 1)
        joined = one if bool((joined == one).all()) else joined
        bounds.append(joined.expand(output.shape))
    rows, columns = zip(*(part.jump for part in parts), strict=True)
    return Seen(tuple(bounds), (max(rows), max(columns)))


def _halved(operation: Operation, output: Tensor) -> Seen:
    """Gated linear units: one half of a dimension times the other."""
    seen, dim = _first(operation), operation.values["dim"]

    def both(bound: Tensor) -> Tensor:
        one, two = bound.chunk(2, dim)
        return torch.minimum(one, two)

    return seen.each(both)


def _copied(operation: Operation, output: Tensor) -> Seen:
    """Whatever was there before is overwritten."""
    return operation.of("src").expand(output.shape)


def _filled(operation: Operation, output: Tensor) -> Seen:
    return nothing(output.shape)


def _named(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_RULES: dict[str, Rule] = {
    **_named(_each_alone, "clone contiguous _to_copy _unsafe_view _conj dropout native_dropout "
             "alpha_dropout feature_dropout rrelu rrelu_with_noise hardswish _prelu_kernel "
             "log_sigmoid_forward floor_divide polar complex lift_fresh tril triu bucketize "
             "quantize_per_tensor quantize_per_channel dequantize "
             "fake_quantize_per_tensor_affine_cachemask "
             "fake_quantize_per_channel_affine_cachemask"),
    **_named(_reduced, "mean sum amin amax max min prod std var std_mean var_mean logsumexp norm "
             "linalg_vector_norm any all argmax argmin median nanmedian aminmax count_nonzero "
             "_softmax _log_softmax"),
    **_named(_last_reduced, "topk sort kthvalue mode"),
    **_named(_so_far, "cumsum cumprod cummax cummin logcumsumexp"),
    **_named(_convolved, "convolution _convolution"),
    **_named(_pooled, "max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d "
             "avg_pool3d"),
    **_named(_adaptive, "_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d "
             "adaptive_max_pool3d"),
    **_named(_resized, "upsample_nearest1d upsample_nearest2d upsample_nearest3d "
             "_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d "
             "upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d "
             "_upsample_bilinear2d_aa _upsample_bicubic2d_aa"),
    **_named(_padded, "constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d "
             "replication_pad1d replication_pad2d replication_pad3d"),
    **_named(_product, "mm bmm mv addmm addbmm baddbmm addmv"),
    **_named(_attention, "_scaled_dot_product_flash_attention_for_cpu "
             "_scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention "
             "_scaled_dot_product_cudnn_attention"),
    **_named(_recurrent, "mkldnn_rnn_layer"),
    **_named(_batch_norm, "native_batch_norm _native_batch_norm_legit cudnn_batch_norm "
             "_native_batch_norm_legit_no_training _batch_norm_with_update miopen_batch_norm "
             "_batch_norm_no_update"),
    **_named(_layer_norm, "native_layer_norm _fused_rms_norm"),
    **_named(_group_norm, "native_group_norm"),
    **_named(_moved, "roll flip repeat stack index index_select gather take im2col rot90 "
             "pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle "
             "select_scatter slice_scatter block_diag diag_embed index_put _index_put_impl "
             "index_copy scatter masked_scatter"),
    **_named(_joined, "cat"),
    **_named(_halved, "glu"),
    **_named(_copied, "copy"),
    **_named(_filled, "fill zero empty_like zeros_like ones_like full_like rand_like randn_like "
             "new_empty new_zeros new_ones new_full new_empty_strided normal uniform bernoulli "
             "randint_like scalar_tensor"),
    **_named(_all, "_native_multi_head_attention _transformer_encoder_layer_fwd grid_sampler_2d "
             "grid_sampler_3d dot nonzero masked_select _fft_c2c _fft_r2c _fft_c2r _euclidean_dist "
             "_cdist_forward embedding histc bincount"),
}  # fmt: skip
