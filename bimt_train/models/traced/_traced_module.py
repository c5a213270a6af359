"""A module that runs a stored program."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..._errors import InputError
from ...layouts._inputs import Inputs
from ...layouts._layout import Layout
from ...layouts.tracing import program_of, trace
from .._contract import MODELS
from .._model_spec import ModelSpec
from ._nodes import names_in
from ._program_size import arguments, filled_call, largest_result
from ._readers import Product, Reader, products_of
from ._stand_ins import stand_in
from ._table import InputShape
from ._traced_options import TracedNode, TracedOptions, TracedTensor

_AT_ONCE = 2**24
"""Entries of the largest result while rows are computed together."""


@MODELS.register(
    "traced",
    label="traced module",
    sentence="The operators of somebody's own module, as torch exported them.",
    options=TracedOptions,
    check=largest_result,
)
class TracedModule(nn.Module):
    """Somebody's module as the operators that it runs. Rows are those of a table, one column an entry of an input.

    `trace_module` makes one. Each weight that a linear operator reads has a module of its own in ``readers``, so that
    hooks see what it read and what it wrote, whatever the operator: a matrix product, a convolution, packed heads.

    Parameters
    ----------
    made_of : str
        The class of the module that was traced.
    inputs : sequence of InputShape or of mapping
        The module's arguments.
    outputs : int
        Numbers given for each row, or at each token.
    tensors : mapping of str to TracedTensor or mapping
        All tensors by name.
    nodes : sequence of TracedNode or of mapping
        The operators in the order in which they run.
    output : str
        The node whose result is the output.
    tokens : int
        How many different tokens the inputs may be; 0 where they are numbers.
    sequence : bool
        Whether outputs are given at each token.
    steps : int
        How many times the columns of x run over the input neurons.
    generator : torch.Generator, optional
        Draws the first parameters, from a normal distribution of deviation 0.1.

    Raises
    ------
    InputError
        The program cannot be run, or asks for more memory than any network of its tensors needs.

    Examples
    --------
    >>> module = TracedModule(**TracedOptions.example().to_json(), generator=torch.Generator().manual_seed(0))
    >>> module(torch.zeros(5, 3)).shape, sorted(module.readers)
    (torch.Size([5, 2]), ['read.weight', 'write.weight'])
    """

    def __init__(
        self,
        made_of: str,
        inputs: Sequence[InputShape | Mapping[str, Any]],
        outputs: int,
        tensors: Mapping[str, TracedTensor | Mapping[str, Any]],
        nodes: Sequence[TracedNode | Mapping[str, Any]],
        output: str,
        tokens: int = 0,
        *,
        sequence: bool = False,
        steps: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        given = {
            "made_of": made_of, "inputs": _plain_each(inputs), "outputs": outputs, "nodes": _plain_each(nodes),
            "tensors": dict(zip(tensors, _plain_each(tensors.values()), strict=True)), "output": output,
            "tokens": tokens, "sequence": sequence, "steps": steps,
        }  # fmt: skip
        self._options = TracedOptions.model_validate(given)
        for name, tensor in self._options.tensors.items():
            _register(self, name, tensor, generator)
        last = {name: number for number, node in enumerate(self._options.nodes) for name in _read_by(node)}
        self._done_with = [[name for name, at in last.items() if at == k and name != output] for k in range(len(last))]
        self._done_with += [[] for _ in self._options.nodes]
        self._operators = [stand_in(node.op) for node in self._options.nodes]
        self._largest = largest_result(self._options)
        self._found: dict[str, Product] | None = None

    @property
    def _reads(self) -> Mapping[str, Product]:
        """The linear operators, found when they are first asked for: by then the tensors are those of the network."""
        if self._found is None:
            self._found = products_of(self._options, dict(self.state_dict()))
        return self._found

    @property
    def readers(self) -> Mapping[str, Reader]:
        """For each weight tensor that linear operators read, the module to hang hooks on."""
        return {reader.tensor: reader for product in self._reads.values() for reader in product.readers}

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        return ModelSpec("traced", self._options.to_json())

    def forward(self, x: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows *places outputs"]:
        """Compute the outputs for a batch of rows.

        Parameters
        ----------
        x : Tensor of shape (rows, columns)
            One column an entry of each input.

        Returns
        -------
        Tensor of shape (rows, outputs)
            The outputs; shape (rows, places, outputs) where they are given at each token.
        """
        together = max(1, _AT_ONCE // self._largest)
        # a program of torch has any number of rows, and whoever watches a product wants to see all of them at once
        if torch.compiler.is_compiling() or len(x) <= together or any(p.is_watched for p in self._reads.values()):
            return self._run(x)
        return torch.cat([self._run(x[start : start + together]) for start in range(0, len(x), together)])

    def arguments_of(self, x: Float[Tensor, "rows columns"]) -> list[Any]:
        """The arguments that the module that was traced takes, made of the columns of a table.

        Parameters
        ----------
        x : Tensor of shape (rows, columns)
            One column an entry of each input.

        Returns
        -------
        list of Tensor
            In the module's order, in the precision of x.
        """
        return list(arguments(self._options, x, x.dtype).values())

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Derive the layout again, by tracing on a few drawn rows.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the inputs.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether inputs and outputs may be reordered too.

        Returns
        -------
        Layout
            The layout. `trace_module` gives one that also knows the axes of the module's own inputs.
        """
        del input_labels, output_labels, movable_ends
        generator, ends = torch.Generator().manual_seed(0), self._options.ends
        rows = torch.randn(4, ends.inputs, generator=generator)
        if ends.tokens:
            rows = torch.randint(ends.tokens, (4, ends.inputs), generator=generator).float()
        return trace(self, program_of(self, Inputs.of(rows)))

    def _run(self, x: Tensor) -> Tensor:
        floating = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        for parameter in self.parameters():
            floating = parameter.dtype
            break
        values: dict[str, Any] = arguments(self._options, x, floating)
        for name, tensor in itertools.chain(self.named_parameters(), self.named_buffers()):
            values[f"tensor {name}"] = tensor
        reads = {} if torch.compiler.is_compiling() else self._reads  # hooks are no part of a program
        for node, operator, done in zip(self._options.nodes, self._operators, self._done_with, strict=False):
            args, named = filled_call(node, values, x.shape[0], floating, str(x.device))
            product = reads.get(node.name)
            if product is not None and product.is_watched:
                values[node.name] = product.compute(node.op, args, named)
            else:
                values[node.name] = operator(*args, **named)
            for name in done:
                values.pop(name, None)
        found: Tensor = values[self._options.output]
        if self._options.sequence:
            return found
        return found.reshape(x.shape[0], self._options.outputs)


def _plain_each(given: Any) -> list[Any]:
    return [each.model_dump() if hasattr(each, "model_dump") else dict(each) for each in given]


def _read_by(node: TracedNode) -> list[str]:
    return [name for value in (*node.args, *node.kwargs.values()) for name in names_in(value)]


def _register(root: nn.Module, name: str, tensor: TracedTensor, generator: torch.Generator | None) -> None:
    """Hold a tensor under its own name, in modules as deep as the name is."""
    *path, last = name.split(".")
    at = root
    value = torch.zeros(tensor.shape, dtype=getattr(torch, tensor.dtype))
    try:
        for step in path:
            if step not in at._modules:
                at.add_module(step, nn.Module())
            at = at.get_submodule(step)
        if tensor.trained:
            value.normal_(std=0.1, generator=generator)
            at.register_parameter(last, nn.Parameter(value))
        else:
            at.register_buffer(last, value)
    except (KeyError, RuntimeError) as error:
        raise InputError("a tensor that cannot be held", where=f"tensor '{name}'", got=str(error)[:120]) from error
