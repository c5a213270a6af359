"""Fragments from which a layout is merged: one for each usual building block, under torch's own tensor names."""

from ._group import Group
from ._layout import Layout, TensorSpec


def linear(
    prefix: str, *, source: Group, target: Group, bias: bool = True, copies: int = 1, transposed: bool = False
) -> Layout:
    """Declare a ``torch.nn.Linear``: weight ``[target, source]`` and bias ``[target]``.

    Parameters
    ----------
    prefix : str
        The module's name; its tensors are ``prefix.weight`` and ``prefix.bias``.
    source : Group
        The neurons that are read.
    target : Group
        The neurons that are written.
    bias : bool, default True
        Whether the module has a bias.
    copies : int, default 1
        How many times the source's axis runs over the same neurons (two tokens that share their positions).
    transposed : bool, default False
        Whether the weight is stored ``[source, target]``, as by GPT-2's Conv1D.

    Returns
    -------
    Layout
        Both groups and one or two tensors.

    Examples
    --------
    >>> linear("fc", source=Group.line("x", 3), target=Group.line("y", 2), transposed=True).tensors["fc.weight"].pattern
    'x -> y'
    """
    read = source.name if copies == 1 else f"({copies} {source.name})"
    weight = f"{read} -> {target.name}" if transposed else f"{target.name} {read}"
    tensors = {f"{prefix}.weight": TensorSpec(weight, "weight")}
    if bias:
        tensors[f"{prefix}.bias"] = TensorSpec(target.name, "bias")
    return Layout((source, target), tensors)


def embedding(prefix: str, *, target: Group) -> Layout:
    """Declare a ``torch.nn.Embedding``: weight ``[tokens, target]``. Tokens are no neurons and have no position.

    Parameters
    ----------
    prefix : str
        The module's name; its tensor is ``prefix.weight``.
    target : Group
        The neurons that are written.

    Returns
    -------
    Layout
        One group and one tensor.

    Examples
    --------
    >>> embedding("wte", target=Group.line("resid", 8)).tensors["wte.weight"].role
    'embedding'
    """
    return Layout((target,), {f"{prefix}.weight": TensorSpec(f"_ {target.name}", "embedding")})


def norm(prefix: str, *, target: Group, bias: bool = True) -> Layout:
    """Declare a ``torch.nn.LayerNorm`` or ``RMSNorm``: gain and bias follow the neurons and cost nothing.

    Parameters
    ----------
    prefix : str
        The module's name; its tensors are ``prefix.weight`` and ``prefix.bias``.
    target : Group
        The neurons that are normalised.
    bias : bool, default True
        Whether the module has a bias.

    Returns
    -------
    Layout
        One group and one or two tensors.

    Examples
    --------
    >>> list(norm("ln", target=Group.line("h", 4), bias=False).tensors)
    ['ln.weight']
    """
    names = ["weight", "bias"] if bias else ["weight"]
    return Layout((target,), {f"{prefix}.{name}": TensorSpec(target.name, "norm") for name in names})


def attention(prefix: str, *, residual: Group, readers: Group, bias: bool = True) -> Layout:
    """Declare a ``torch.nn.MultiheadAttention``: q, k and v share the slots of the readers, and heads move as blocks.

    The three projections are stored as one tensor, ``"(3 readers) residual"``: a reader is one entry of q, of k and
    of v.

    Parameters
    ----------
    prefix : str
        The module's name.
    residual : Group
        The stream that is read and written.
    readers : Group
        As many neurons as heads times head width; its ``heads`` must be those of the module.
    bias : bool, default True
        Whether the projections have biases.

    Returns
    -------
    Layout
        Both groups and two or four tensors.

    Examples
    --------
    >>> layout = attention("att", residual=Group.line("resid", 8), readers=Group.line("a", 8, heads=2))
    >>> layout.tensors["att.in_proj_weight"].pattern
    '(3 a) resid'
    """
    tensors = {f"{prefix}.in_proj_weight": TensorSpec(f"(3 {readers.name}) {residual.name}", "weight")}
    if bias:
        tensors[f"{prefix}.in_proj_bias"] = TensorSpec(f"(3 {readers.name})", "bias")
    written = linear(f"{prefix}.out_proj", source=readers, target=residual, bias=bias)
    return Layout.merge(Layout((residual, readers), tensors), written)


def recurrent(prefix: str, *, source: Group, state: Group, layer: int = 0) -> Layout:
    """Declare one layer of a ``torch.nn.RNN``: its state indexes both axes of ``weight_hh``.

    With one group on both axes the cost of a move is not separable, so relocation makes swaps and keeps those that
    lower the cost.

    Parameters
    ----------
    prefix : str
        The module's name.
    source : Group
        The neurons that the layer reads at each step.
    state : Group
        The layer's hidden state.
    layer : int, default 0
        The layer's number in the module, from 0.

    Returns
    -------
    Layout
        Both groups and four tensors.

    Examples
    --------
    >>> layout = recurrent("rnn", source=Group.line("x", 2), state=Group.line("h", 5))
    >>> layout.tensors["rnn.weight_hh_l0"].pattern
    'h h'
    """
    tensors = {
        f"{prefix}.weight_ih_l{layer}": TensorSpec(f"{state.name} {source.name}", "weight"),
        f"{prefix}.weight_hh_l{layer}": TensorSpec(f"{state.name} {state.name}", "weight"),
        f"{prefix}.bias_ih_l{layer}": TensorSpec(state.name, "bias"),
        f"{prefix}.bias_hh_l{layer}": TensorSpec(state.name, "bias"),
    }
    return Layout((source, state), tensors)
