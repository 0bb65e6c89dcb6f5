"""Kinds of layers: which modules and which operations of a network's own code are of each."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Kind:
    """A kind of layer.

    Attributes:
        modules: types of modules that are such layers; the first kind that fits is theirs.
        operations: operations in a network's own code that are, as `cnnviz.record` names them.
        weighted: its units have weights, and so pages of their own in the atlas.
        silent: it changes no value, at least not in testing.
        merges: it takes several inputs.
        keeps_order: of several numbers the largest remains the largest (or stays among them), so
            that what comes before it is still an answer.
    """

    name: str
    modules: tuple[type[nn.Module], ...] = ()
    operations: tuple[str, ...] = ()
    weighted: bool = False
    silent: bool = False
    merges: bool = False
    keeps_order: bool = False


_ACTIVATIONS = (
    nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softsign,
    nn.Softshrink, nn.Hardshrink, nn.Tanhshrink, nn.LogSigmoid, nn.Threshold, nn.GLU,
)  # fmt: skip

_PADDINGS = (
    nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d, nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d,
    nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d, nn.ReplicationPad1d,
    nn.ReplicationPad2d, nn.ReplicationPad3d, nn.CircularPad1d, nn.CircularPad2d, nn.CircularPad3d,
)  # fmt: skip

_BATCH = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_INSTANCE = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)

KINDS = {
    kind.name: kind
    for kind in (
        Kind("conv", (nn.Conv1d, nn.Conv2d, nn.Conv3d), weighted=True),
        Kind(
            "transposed",
            (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
            weighted=True,
        ),
        Kind("relu", (nn.ReLU,), ("relu", "relu_"), keeps_order=True),
        Kind(
            "activation",
            _ACTIVATIONS,
            (
                "relu6",
                "leaky_relu",
                "prelu",
                "rrelu",
                "elu",
                "selu",
                "celu",
                "gelu",
                "silu",
                "mish",
                "hardswish",
                "hardsigmoid",
                "hardtanh",
                "sigmoid",
                "tanh",
                "softplus",
                "softsign",
                "softshrink",
                "hardshrink",
                "tanhshrink",
                "logsigmoid",
                "threshold",
                "glu",
                "clamp",
                "clip",
            ),
        ),
        Kind("softmax", (nn.Softmax, nn.Softmax2d), ("softmax",), keeps_order=True),
        Kind("log_softmax", (nn.LogSoftmax,), ("log_softmax",), keeps_order=True),
        Kind(
            "pool",
            (
                nn.MaxPool1d,
                nn.MaxPool2d,
                nn.MaxPool3d,
                nn.AdaptiveMaxPool1d,
                nn.AdaptiveMaxPool2d,
                nn.AdaptiveMaxPool3d,
            ),
            (
                "max_pool1d",
                "max_pool2d",
                "max_pool3d",
                "adaptive_max_pool1d",
                "adaptive_max_pool2d",
                "adaptive_max_pool3d",
                "amax",
            ),
        ),
        Kind(
            "average",
            (
                nn.AvgPool1d,
                nn.AvgPool2d,
                nn.AvgPool3d,
                nn.AdaptiveAvgPool1d,
                nn.AdaptiveAvgPool2d,
                nn.AdaptiveAvgPool3d,
            ),
            (
                "avg_pool1d",
                "avg_pool2d",
                "avg_pool3d",
                "adaptive_avg_pool1d",
                "adaptive_avg_pool2d",
                "adaptive_avg_pool3d",
                "mean",
            ),
            keeps_order=True,
        ),
        Kind("batch_norm", _BATCH, ("batch_norm",)),
        Kind("instance_norm", _INSTANCE, ("instance_norm",)),
        Kind("group_norm", (nn.GroupNorm,), ("group_norm",)),
        Kind("layer_norm", (nn.LayerNorm, nn.RMSNorm), ("layer_norm", "rms_norm")),
        Kind("response_norm", (nn.LocalResponseNorm,), ("local_response_norm",)),
        Kind(
            "flatten",  # to one row of numbers; to other shapes it is a "reshape"
            (nn.Flatten, nn.Unflatten),
            (
                "flatten",
                "view",
                "reshape",
                "squeeze",
                "unsqueeze",
                "unflatten",
                "view_as",
                "reshape_as",
                "ravel",
            ),
            silent=True,
            keeps_order=True,
        ),
        Kind(
            "reshape",
            (nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle, nn.Fold, nn.Unfold),
            (
                "permute",
                "transpose",
                "swapaxes",
                "swapdims",
                "movedim",
                "moveaxis",
                "t",
                "pixel_shuffle",
                "pixel_unshuffle",
                "channel_shuffle",
                "roll",
                "flip",
                "unfold",
                "fold",
            ),
            silent=True,
            keeps_order=True,
        ),
        Kind(
            "part",
            (),
            (
                "getitem",
                "select",
                "chunk",
                "split",
                "narrow",
                "unbind",
                "index_select",
                "tensor_split",
                "take",
            ),
            silent=True,
        ),
        Kind(
            "dropout",
            (
                nn.Dropout,
                nn.Dropout1d,
                nn.Dropout2d,
                nn.Dropout3d,
                nn.AlphaDropout,
                nn.FeatureAlphaDropout,
            ),
            (
                "dropout",
                "dropout1d",
                "dropout2d",
                "dropout3d",
                "alpha_dropout",
                "stochastic_depth",
                "drop_path",
            ),
            silent=True,
            keeps_order=True,
        ),
        Kind(
            "identity",
            (nn.Identity, nn.Sequential),
            (
                "contiguous",
                "clone",
                "detach",
                "to",
                "float",
                "type_as",
                "type",
                "double",
                "half",
                "expand",
                "expand_as",
                "positive",
                "requires_grad",
                "requires_grad_",
            ),
            silent=True,
            keeps_order=True,
        ),
        Kind("output", weighted=True),  # the last one, if it is linear
        Kind("linear", (nn.Linear,), weighted=True),
        Kind("add", (), ("add", "iadd"), merges=True),
        Kind("mul", (), ("mul", "imul"), merges=True),
        Kind("cat", (), ("cat", "concat", "concatenate", "stack"), merges=True),
        Kind(
            "upsample",
            (nn.Upsample,),  # and its two subclasses
            ("interpolate", "upsample", "upsample_nearest", "upsample_bilinear"),
        ),
        Kind("padding", _PADDINGS, ("pad",)),
        Kind(
            "attention",
            (nn.MultiheadAttention,),
            ("scaled_dot_product_attention", "multi_head_attention_forward"),
        ),
        Kind("embedding", (nn.Embedding, nn.EmbeddingBag), ("embedding",)),
        Kind("recurrent", (nn.RNNBase, nn.RNNCellBase), ("lstm", "gru", "rnn_tanh", "rnn_relu")),
        Kind("other", (nn.Module,)),
    )
}
"""All kinds by name. "other" is any module, and any operation that is of no other kind."""

RECTIFIERS = ("relu", "relu_", "relu6", "ReLU", "ReLU6")
"""Activations that put zero in place of what is negative, and keep what is positive."""

_BY_CLASS = {  # of other libraries
    "StochasticDepth": "dropout", "DropPath": "dropout",
    "Permute": "reshape", "Rearrange": "reshape",
}  # fmt: skip


def kind_of_module(module: nn.Module) -> str:
    """The kind of a module, the name of one of KINDS."""
    named = _BY_CLASS.get(type(module).__name__)
    return named or next(k.name for k in KINDS.values() if isinstance(module, k.modules))


def kind_of_operation(operation: str) -> str:
    """The kind of an operation, such as "max_pool2d".

    >>> kind_of_operation("silu"), kind_of_operation("matmul")
    ('activation', 'other')
    """
    return next((k.name for k in KINDS.values() if operation in k.operations), "other")
