"""How each of PyTorch's basic operations changes what the elements of tensors see.

Operations are those that reach PyTorch's kernels (`aten`): a module, a function, a method, with
or without an underscore, scripted or not, all come down to them. What works on each element alone
PyTorch itself marks as such; the tables below hold the others.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz.inside.field_bounds import (
    TRUE,
    Seen,
    compact,
    nothing,
    over,
    together,
)
from cnnviz.inside.field_memory import Unknown
from cnnviz.inside.field_mixing import (
    attention,
    batch_norm,
    group_norm,
    layer_norm,
    product,
    recurrent,
)
from cnnviz.inside.field_moves import joined, moved, seen_by_all
from cnnviz.inside.field_operation import Operation, Rule, tensors
from cnnviz.inside.field_windows import adaptive, convolved, padded, pooled, resized


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


def apply(rule: Rule, operation: Operation, output: Tensor, first: Tensor) -> Seen:
    """What one of the outputs sees; such as the variance beside what was normalised.

    Args:
        first: the first of the outputs, of which the rule tells.
    """
    if output.shape == first.shape:
        return rule(operation, output)
    return seen_by_all(operation, output)


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


def _dims(operation: Operation, rank: int) -> list[int]:
    """The dimensions that an operation names; all of them if it names none."""
    dims = operation.values.get("dim")
    if isinstance(dims, int):
        return [dims]
    return list(dims) if dims else list(range(rank))


def _reduced(operation: Operation, output: Tensor) -> Seen:
    """All along some dimensions together, which are left out or kept: sum, softmax, sort."""
    seen = operation.first()
    rank = len(seen.shape)
    dims = [dim % max(rank, 1) for dim in _dims(operation, rank)]
    joint = over(seen, dims)
    if output.dim() < rank:
        kept = [size for dim, size in enumerate(joint.shape) if dim not in dims]
        joint = joint.each(lambda bound: bound.squeeze(dims)).expand(kept)
    return joint.expand(output.shape)


def _last_reduced(operation: Operation, output: Tensor) -> Seen:
    """Along the last dimension if none is named, as `topk` and `sort` work."""
    joint = over(operation.first(), [operation.values.get("dim", -1)])
    return joint.expand(output.shape)


def _so_far(operation: Operation, output: Tensor) -> Seen:
    """What has come up to here along a dimension: cumsum."""
    dim = operation.values["dim"]
    return operation.first().each(lambda bound: bound.cummin(dim).values)


def _halved(operation: Operation, output: Tensor) -> Seen:
    """Gated linear units: one half of a dimension times the other."""
    seen, dim = operation.first(), operation.values["dim"]

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
    **_named(convolved, "convolution _convolution"),
    **_named(pooled, "max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d "
             "avg_pool3d"),
    **_named(adaptive, "_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d "
             "adaptive_max_pool3d"),
    **_named(resized, "upsample_nearest1d upsample_nearest2d upsample_nearest3d "
             "_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d "
             "upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d "
             "_upsample_bilinear2d_aa _upsample_bicubic2d_aa"),
    **_named(padded, "constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d "
             "replication_pad1d replication_pad2d replication_pad3d"),
    **_named(product, "mm bmm mv addmm addbmm baddbmm addmv"),
    **_named(attention, "_scaled_dot_product_flash_attention_for_cpu "
             "_scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention "
             "_scaled_dot_product_cudnn_attention"),
    **_named(recurrent, "mkldnn_rnn_layer"),
    **_named(batch_norm, "native_batch_norm _native_batch_norm_legit cudnn_batch_norm "
             "_native_batch_norm_legit_no_training _batch_norm_with_update miopen_batch_norm "
             "_batch_norm_no_update"),
    **_named(layer_norm, "native_layer_norm _fused_rms_norm"),
    **_named(group_norm, "native_group_norm"),
    **_named(moved, "roll flip repeat stack index index_select gather take im2col rot90 "
             "pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle "
             "select_scatter slice_scatter block_diag diag_embed index_put _index_put_impl "
             "index_copy scatter masked_scatter"),
    **_named(joined, "cat"),
    **_named(_halved, "glu"),
    **_named(_copied, "copy"),
    **_named(_filled, "fill zero empty_like zeros_like ones_like full_like rand_like randn_like "
             "new_empty new_zeros new_ones new_full new_empty_strided normal uniform bernoulli "
             "randint_like scalar_tensor"),
    **_named(seen_by_all, "_native_multi_head_attention _transformer_encoder_layer_fwd "
             "grid_sampler_2d grid_sampler_3d dot nonzero masked_select _fft_c2c _fft_r2c _fft_c2r "
             "_euclidean_dist _cdist_forward embedding histc bincount"),
}  # fmt: skip
