"""Layouts of common modules: torch's chains and encoders, and decoders as Hugging Face builds them."""

from typing import TYPE_CHECKING

from .._errors import LayoutError
from ._decoder import HINT
from ._fragments import attention, linear, norm
from ._gpt2 import GPT2
from ._group import Group
from ._layout import Layout
from ._llama import LLAMA

if TYPE_CHECKING:
    from torch import nn


def layout_for(module: "nn.Module") -> Layout:
    """Derive the layout of a module of a known kind, with groups on parallel lines.

    Certify the result with `verify`. The known kinds are:

    - ``torch.nn.Sequential``: Linear layers, with activations, Dropout, Identity, LayerNorm and RMSNorm between. Groups
      x, h1, h2, ..., y.
    - ``torch.nn.TransformerEncoder``: groups resid (the stream, one at every read and write), and for each layer a1,
      a2, ... (readers, with the layer's heads) and m1, m2, ... (its feed-forward neurons).
    - Hugging Face decoders built like GPT-2, with or without a head: the groups of ``torch.nn.TransformerEncoder``.
    - Hugging Face decoders built like Llama, among them Mistral, Qwen2 and Qwen3: resid, m1, m2, ..., and kv1, kv2, ...
      with one neuron for each key/value head, which the query heads that it serves follow.

    Decoders are known by their tensors' names, all of which must be in the family's table. Tokens and positions are no
    neurons; tied embeddings are declared once; embeddings, and the way out to tokens, pay l0 an entry.

    Parameters
    ----------
    module : torch.nn.Module
        The module to describe.

    Returns
    -------
    Layout
        A declaration of every parameter and of every buffer that is stored.

    Raises
    ------
    LayoutError
        The module is of another kind, or contains a module or tensor that is not known, which is named.

    Examples
    --------
    >>> from torch import nn
    >>> layout = layout_for(nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)))
    >>> dict(layout.sizes)
    {'x': 3, 'h1': 5, 'y': 2}
    """
    from torch import nn

    if isinstance(module, nn.Sequential):
        return _chain(module)
    if isinstance(module, nn.TransformerEncoder):
        return _encoder(module)
    for family in (GPT2, LLAMA):
        if family.knows(module):
            return family.layout(module)
    kind = type(module).__name__
    expected = "torch.nn.Sequential, torch.nn.TransformerEncoder, or a decoder like GPT-2 or Llama"
    raise LayoutError("no layout is known for this module", expected=expected, got=kind, hint=HINT)


def _chain(module: "nn.Sequential") -> Layout:
    from torch import nn

    sizes = [(name, child) for name, child in module.named_children() if isinstance(child, nn.Linear)]
    if not sizes:
        raise LayoutError("a chain without Linear layers", where="layout_for", hint=HINT)
    names = ["x", *(f"h{i}" for i in range(1, len(sizes))), "y"]
    widths = [sizes[0][1].in_features, *(child.out_features for _, child in sizes)]
    groups = [Group.line(name, width) for name, width in zip(names, widths, strict=True)]
    pieces, at = [], 0
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            pieces.append(linear(name, source=groups[at], target=groups[at + 1], bias=child.bias is not None))
            at += 1
        elif isinstance(child, nn.LayerNorm | nn.RMSNorm):
            if child.elementwise_affine:
                pieces.append(norm(name, target=groups[at], bias=getattr(child, "bias", None) is not None))
        elif any(True for _ in child.parameters()) or any(True for _ in child.buffers()):
            where, got = f"module '{name}'", type(child).__name__
            raise LayoutError(
                "a module that a chain cannot have", where=where, expected="Linear or a norm", got=got, hint=HINT
            )
    return Layout.merge(*pieces, inputs="x", outputs="y")


def _encoder(module: "nn.TransformerEncoder") -> Layout:
    layers = list(module.layers.named_children())
    resid = Group.line("resid", layers[0][1].self_attn.embed_dim)
    pieces = []
    for number, (name, layer) in enumerate(layers, start=1):
        at, heads = f"layers.{name}", layer.self_attn.num_heads
        readers = Group.line(f"a{number}", resid.size, heads=heads)
        hidden = Group.line(f"m{number}", layer.linear1.out_features)
        bias = layer.linear1.bias is not None
        pieces += [
            attention(f"{at}.self_attn", residual=resid, readers=readers, bias=bias),
            linear(f"{at}.linear1", source=resid, target=hidden, bias=bias),
            linear(f"{at}.linear2", source=hidden, target=resid, bias=bias),
            norm(f"{at}.norm1", target=resid, bias=bias),
            norm(f"{at}.norm2", target=resid, bias=bias),
        ]
    if module.norm is not None:
        pieces.append(norm("norm", target=resid, bias=getattr(module.norm, "bias", None) is not None))
    return Layout.merge(*pieces, inputs="resid", outputs="resid")
