"""Layouts of modules: of torch's chains and encoders, of Hugging Face's decoders, and, by tracing, of any other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._errors import InputError, LayoutError
from ._fragments import attention, linear, norm
from ._group import Group
from ._inputs import Inputs, guessed_inputs
from ._layout import Layout
from .decoders._gpt2_names import GPT2
from .decoders._llama_names import LLAMA

if TYPE_CHECKING:
    from torch import nn


def layout_for(module: "nn.Module", *example_inputs: Any) -> Layout:
    """Derive the layout of a module, with groups on parallel lines.

    Certify the result with `verify`. With example inputs any module is traced: it runs once on labels of its neurons,
    and what its operators demand of any permutation of them decides which neurons form a group. Without them, these
    kinds have layouts of their own:

    - ``torch.nn.Sequential``: Linear layers, with activations, Dropout, Identity, LayerNorm and RMSNorm between. Groups
      x, h1, h2, ..., y.
    - ``torch.nn.TransformerEncoder``: groups resid (the stream, one at every read and write), and for each layer a1,
      a2, ... (readers, with the layer's heads) and m1, m2, ... (its feed-forward neurons).
    - Hugging Face decoders built like GPT-2, with or without a head: the groups of ``torch.nn.TransformerEncoder``.
    - Hugging Face decoders built like Llama, among them Mistral, Qwen2 and Qwen3: resid, m1, m2, ..., and kv1, kv2, ...
      with one neuron for each key/value head, which the query heads that it serves follow.

    Decoders are known by their tensors' names, all of which must be in the family's table. Tokens and positions are no
    neurons; tied embeddings are declared once; embeddings, and the way out to tokens, pay l0 an entry. Any other module
    is traced with inputs that fit its first layer, if there are such.

    Parameters
    ----------
    module : torch.nn.Module
        The module to describe.
    *example_inputs : array or torch.Tensor, or one mapping of str to them
        What the module takes: a few rows of numbers or tokens, by position, or by name in one mapping.

    Returns
    -------
    Layout
        A declaration of every parameter and of every buffer that is stored. A traced one has the groups x (the last
        axis of the first input), y (that of the first output; one group resid if both are the same), h1, h2, ...
        (neurons), a1, a2, ... (neurons in heads), and f1, f2, ... (neurons that cannot move).

    Raises
    ------
    LayoutError
        The module has an operator without a rule, which is named with the module and line that call it; or no neuron of
        it can move; or it is of no kind that is known without example inputs.
    InputError
        The module cannot be run on the example inputs.

    Notes
    -----
    Each index of each axis of each tensor is a label. An elementwise operator unites labels that meet, a product those
    of the axes that it contracts; what varies along a block of entries (a head) ties the block. A constant that differs
    along an axis fixes its labels, and so does whatever depends on order (pixels, positions, tokens). A pattern has at
    most two groups, and none for groups side by side. So groups that a module concatenates are tied as runs over one
    group, ``"(2 h1)"``, if their sizes allow, else fixed; and a tensor of three axes of neurons has one fixed.

    A program that depends on numbers is described as it runs for the example inputs.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> layout = layout_for(nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)))
    >>> dict(layout.sizes)
    {'x': 3, 'h1': 5, 'y': 2}

    A module of no known kind, a gated one:

    >>> class Gated(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.gate, self.up, self.down = nn.Linear(4, 12), nn.Linear(4, 12), nn.Linear(12, 2)
    ...
    ...     def forward(self, x):
    ...         return self.down(nn.functional.silu(self.gate(x)) * self.up(x))
    >>> traced = layout_for(Gated(), torch.randn(5, 4))
    >>> {name: spec.pattern for name, spec in traced.tensors.items() if name.endswith("weight")}
    {'gate.weight': 'h1 x', 'up.weight': 'h1 x', 'down.weight': 'y h1'}
    """
    from torch import nn

    if example_inputs:
        alone = example_inputs[0] if len(example_inputs) == 1 else example_inputs
        return _traced(module, Inputs.of(alone if isinstance(alone, Mapping) else example_inputs))
    if isinstance(module, nn.Sequential) and _is_chain(module):
        return _chain(module)
    if isinstance(module, nn.TransformerEncoder):
        return _encoder(module)
    for family in (GPT2, LLAMA):
        if family.knows(module):
            return family.layout(module)
    for inputs in guessed_inputs(module):
        try:
            return _traced(module, inputs)
        except LayoutError:
            raise
        except InputError:
            continue  # the guess does not fit the module
    kind = type(module).__name__
    expected = "torch.nn.Sequential, torch.nn.TransformerEncoder, a decoder like GPT-2 or Llama, or example inputs"
    hint = "give example inputs, layout_for(module, x)"
    raise LayoutError("no layout is known for this module", expected=expected, got=kind, hint=hint)


def _traced(module: "nn.Module", inputs: Inputs) -> Layout:
    from .tracing import program_of, trace

    return trace(module, program_of(module, inputs))


def _is_chain(module: "nn.Sequential") -> bool:
    """Whether a chain has nothing with tensors but Linear layers and norms."""
    from torch import nn

    known = (nn.Linear, nn.LayerNorm, nn.RMSNorm)
    children = list(module.children())
    bare = (not any(True for _ in (*child.parameters(), *child.buffers())) for child in children)
    linear_layers = any(isinstance(child, nn.Linear) for child in children)
    return linear_layers and all(isinstance(c, known) or empty for c, empty in zip(children, bare, strict=True))


def _chain(module: "nn.Sequential") -> Layout:
    from torch import nn

    sizes = [(name, child) for name, child in module.named_children() if isinstance(child, nn.Linear)]
    names = ["x", *(f"h{i}" for i in range(1, len(sizes))), "y"]
    widths = [sizes[0][1].in_features, *(child.out_features for _, child in sizes)]
    groups = [Group.line(name, width) for name, width in zip(names, widths, strict=True)]
    pieces, at = [], 0
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            pieces.append(linear(name, source=groups[at], target=groups[at + 1], bias=child.bias is not None))
            at += 1
        elif isinstance(child, nn.LayerNorm | nn.RMSNorm) and child.elementwise_affine:
            pieces.append(norm(name, target=groups[at], bias=getattr(child, "bias", None) is not None))
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
