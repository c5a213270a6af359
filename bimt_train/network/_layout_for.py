"""Layouts for modules that torch itself defines: chains of layers, and transformer encoders."""

from typing import TYPE_CHECKING

from .._errors import LayoutError
from ._fragments import attention, linear, norm
from ._group import Group
from ._layout import Layout

if TYPE_CHECKING:
    from torch import nn

MEND = "write the layout as a dictionary of patterns, one a tensor, and let verify certify it"


def layout_for(module: "nn.Module") -> Layout:
    """The layout of a ``torch.nn.Sequential`` chain or a ``torch.nn.TransformerEncoder``, groups on parallel lines.

    A chain is made of Linear layers, with activations, Dropout, Identity, LayerNorm and RMSNorm between: groups x, h1,
    h2, ..., y. An encoder has groups resid (the stream, one at every read and write), and for each layer a1, a2, ...
    (readers, with the layer's heads) and m1, m2, ... (its feed-forward neurons). Certify the result with `verify`.

    Raises:
        LayoutError: any other module, or a part of these that the chain cannot have, by name.
    """
    from torch import nn

    if isinstance(module, nn.Sequential):
        return _chain(module)
    if isinstance(module, nn.TransformerEncoder):
        return _encoder(module)
    kind = type(module).__name__
    expected = "torch.nn.Sequential or torch.nn.TransformerEncoder"
    raise LayoutError("no layout is known for this module", expected=expected, got=kind, mend=MEND)


def _chain(module: "nn.Sequential") -> Layout:
    from torch import nn

    sizes = [(name, part) for name, part in module.named_children() if isinstance(part, nn.Linear)]
    if not sizes:
        raise LayoutError("a chain without Linear layers", where="layout_for", mend=MEND)
    names = ["x", *(f"h{i}" for i in range(1, len(sizes))), "y"]
    widths = [sizes[0][1].in_features, *(part.out_features for _, part in sizes)]
    groups = [Group.line(name, width) for name, width in zip(names, widths, strict=True)]
    pieces, at = [], 0
    for name, part in module.named_children():
        if isinstance(part, nn.Linear):
            pieces.append(linear(name, source=groups[at], target=groups[at + 1], bias=part.bias is not None))
            at += 1
        elif isinstance(part, nn.LayerNorm | nn.RMSNorm):
            if part.elementwise_affine:
                pieces.append(norm(name, target=groups[at], bias=getattr(part, "bias", None) is not None))
        elif any(True for _ in part.parameters()) or any(True for _ in part.buffers()):
            where, got = f"module '{name}'", type(part).__name__
            raise LayoutError(
                "a part that a chain cannot have", where=where, expected="Linear or a norm", got=got, mend=MEND
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
