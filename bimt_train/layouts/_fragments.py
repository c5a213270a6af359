"""Pieces from which a layout is merged: one for each usual building block, in torch's own tensor names."""

from ._group import Group
from ._layout import Layout, TensorSpec


def linear(
    prefix: str, *, source: Group, target: Group, bias: bool = True, copies: int = 1, transposed: bool = False
) -> Layout:
    """``torch.nn.Linear``: weight ``[target, source]`` and bias ``[target]``.

    Args:
        prefix: the module's name; tensors are ``prefix.weight`` and ``prefix.bias``.
        source: the neurons read.
        target: the neurons written.
        bias: whether there is one.
        copies: the source runs this many times over the same neurons (two tokens folded on the same slots).
        transposed: stored ``[source, target]``, as GPT-2's Conv1D does.
    """
    read = source.name if copies == 1 else f"({copies} {source.name})"
    weight = f"{read} -> {target.name}" if transposed else f"{target.name} {read}"
    tensors = {f"{prefix}.weight": TensorSpec(weight, "weight")}
    if bias:
        tensors[f"{prefix}.bias"] = TensorSpec(target.name, "bias")
    return Layout((source, target), tensors)


def embedding(prefix: str, *, target: Group) -> Layout:
    """``torch.nn.Embedding``: weight ``[tokens, target]``; tokens are no neurons and have no place."""
    return Layout((target,), {f"{prefix}.weight": TensorSpec(f"_ {target.name}", "embedding")})


def norm(prefix: str, *, target: Group, bias: bool = True) -> Layout:
    """``torch.nn.LayerNorm`` or ``RMSNorm``: gain and bias follow the neurons and are not penalised."""
    names = ["weight", "bias"] if bias else ["weight"]
    return Layout((target,), {f"{prefix}.{name}": TensorSpec(target.name, "norm") for name in names})


def attention(prefix: str, *, residual: Group, readers: Group, bias: bool = True) -> Layout:
    """``torch.nn.MultiheadAttention``: q, k and v share the slots of the readers (fold 3); heads move as blocks.

    Args:
        prefix: the module's name.
        residual: the stream that is read and written.
        readers: heads times head width neurons; its ``heads`` must be those of the module.
        bias: whether the projections have biases.
    """
    tensors = {f"{prefix}.in_proj_weight": TensorSpec(f"(3 {readers.name}) {residual.name}", "weight")}
    if bias:
        tensors[f"{prefix}.in_proj_bias"] = TensorSpec(f"(3 {readers.name})", "bias")
    written = linear(f"{prefix}.out_proj", source=readers, target=residual, bias=bias)
    return Layout.merge(Layout((residual, readers), tensors), written)


def recurrent(prefix: str, *, source: Group, state: Group, layer: int = 0) -> Layout:
    """``torch.nn.RNN``: the state stands on both axes of ``weight_hh``, so it relocates by accept-if-better swaps."""
    tensors = {
        f"{prefix}.weight_ih_l{layer}": TensorSpec(f"{state.name} {source.name}", "weight"),
        f"{prefix}.weight_hh_l{layer}": TensorSpec(f"{state.name} {state.name}", "weight"),
        f"{prefix}.bias_ih_l{layer}": TensorSpec(state.name, "bias"),
        f"{prefix}.bias_hh_l{layer}": TensorSpec(state.name, "bias"),
    }
    return Layout((source, state), tensors)
