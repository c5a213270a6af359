"""What a checkpoint says of a traced module."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float64
from pydantic import Field, model_validator

from ..._errors import InputError
from ...layouts._inputs import Inputs
from .._contract import Ends, ModelOptions, Shape, Strict
from ._nodes import names_in, operator_of
from ._table import InputShape, as_table

_WORDS = {"node": str, "rows": int, "float": str, "dtype": str, "device": str, "layout": str, "memory_format": str}


class TracedTensor(Strict):
    """A parameter, a buffer, or a constant that the module computes with.

    Attributes
    ----------
    shape : list of int
        Its shape.
    dtype : str
        torch's name of its type.
    trained : bool
        Whether it is a parameter.

    Examples
    --------
    >>> TracedTensor(shape=[2, 3], dtype="float32", trained=True).trained
    True
    """

    shape: list[int]
    dtype: str
    trained: bool


class TracedNode(Strict):
    """One operator of the program.

    Attributes
    ----------
    name : str
        What later operators call its result.
    op : str
        ``getitem``, or an ATen operator such as ``aten.mm.default``.
    args : list
        Arguments by position, in plain JSON: ``{"node": name}`` for a result, a tensor or an input, ``{"rows": k}`` for
        k times the number of rows.
    kwargs : dict
        Arguments by name.

    Examples
    --------
    >>> TracedNode(name="relu", op="aten.relu.default", args=[{"node": "mm"}]).kwargs
    {}
    """

    name: str
    op: str
    args: list[Any]
    kwargs: dict[str, Any] = Field(default_factory=dict)


class TracedOptions(ModelOptions):
    """Options of a `TracedModule`: its program, and what the program reads and gives.

    Attributes
    ----------
    made_of : str
        The class of the module that was traced.
    inputs : list of InputShape
        The module's arguments; input k is the node ``input k``.
    outputs : int
        Numbers given for each row, or at each token.
    tensors : dict of str to TracedTensor
        All tensors by name; tensor n is the node ``tensor n``.
    nodes : list of TracedNode
        The operators in the order in which they run.
    output : str
        The node whose result is the output.
    tokens : int
        How many different tokens the inputs may be; 0 where they are numbers.
    sequence : bool
        Whether outputs are given at each token.
    steps : int
        How many times the columns of x run over the input neurons.

    Examples
    --------
    >>> TracedOptions.example().ends
    Ends(inputs=3, outputs=2)
    """

    made_of: str
    inputs: list[InputShape]
    outputs: int
    tensors: dict[str, TracedTensor]
    nodes: list[TracedNode]
    output: str
    tokens: int = 0
    sequence: bool = False
    steps: int = 1

    @model_validator(mode="after")
    def _runs(self) -> Self:
        """Every operator is allowed, and reads only what stands before it."""
        known = {f"input {k}" for k in range(len(self.inputs))} | {f"tensor {name}" for name in self.tensors}
        for node in self.nodes:
            operator_of(node.op)
            for value in (*node.args, *node.kwargs.values()):
                _check(value)
                for name in names_in(value):
                    if name not in known:
                        raise ValueError(f"node {node.name!r} reads {name!r}, which nothing before it gives")
            if node.name in known:
                raise ValueError(f"two nodes are called {node.name!r}")
            known.add(node.name)
        if self.output not in known:
            raise ValueError(f"no node is called {self.output!r}")
        for name, tensor in self.tensors.items():
            if not isinstance(getattr(torch, tensor.dtype, None), torch.dtype) or min(tensor.shape, default=0) < 0:
                raise ValueError(f"tensor {name!r} of type {tensor.dtype!r} and shape {tensor.shape}")
        for shape in self.inputs:
            if min(shape.shape, default=1) < 1:
                raise ValueError(f"an input of shape {shape.shape}")
        return self

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Name and shape of every tensor."""
        for name, tensor in self.tensors.items():
            yield name, tuple(tensor.shape)

    @property
    def ends(self) -> Ends:
        """What the model reads and gives."""
        columns = sum(shape.columns for shape in self.inputs)
        return Ends(inputs=columns, outputs=self.outputs, tokens=self.tokens, sequence=self.sequence)

    def rows(self, inputs: Any) -> Float64[np.ndarray, "rows columns"]:
        """What the module reads, as rows of a table.

        Parameters
        ----------
        inputs : array or Tensor of shape (rows, ...), tuple of them, or mapping of str to them
            What the module that was traced is called with; or rows of the table already.

        Returns
        -------
        array of float, shape (rows, columns)
            One column an entry of each argument.

        Raises
        ------
        InputError
            Arguments of another number or shape.
        """
        given = Inputs.of(inputs)
        values = [each for each in (*given.positional, *given.named.values()) if isinstance(each, torch.Tensor)]
        columns = self.ends.inputs
        if len(values) == 1 and values[0].shape[1:] == (columns,):
            return np.asarray(values[0].double())
        if [list(value.shape[1:]) for value in values] != [shape.shape for shape in self.inputs]:
            expected = ", ".join(str(["rows", *shape.shape]) for shape in self.inputs)
            got = ", ".join(str(list(value.shape)) for value in values)
            raise InputError("inputs of another shape", where="x", expected=expected, got=got)
        return as_table(self.inputs, values)

    @property
    def sequence_steps(self) -> int:
        """How many times the columns of x run over the input neurons."""
        return self.steps

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """A traced module is somebody's own: none can be chosen for a task.

        Parameters
        ----------
        ends : Ends
            What the task's rows and targets are.
        hidden : sequence of int
            Neurons of each hidden layer.

        Raises
        ------
        InputError
            Always.
        """
        hint = "train the module itself, with bimt_train.integrations.Penalty, and read it with from_module"
        raise InputError("no traced module can be chosen for a task", got=f"{ends.inputs} inputs", hint=hint)

    @classmethod
    def example(cls) -> Self:
        """A layer of four tanh neurons between three inputs and two outputs."""
        read = {"node": "tensor read.weight"}
        return cls(
            made_of="Example",
            inputs=[InputShape(shape=[3], kind="numbers")],
            outputs=2,
            tensors={
                "read.weight": TracedTensor(shape=[4, 3], dtype="float32", trained=True),
                "read.bias": TracedTensor(shape=[4], dtype="float32", trained=True),
                "write.weight": TracedTensor(shape=[2, 4], dtype="float32", trained=True),
            },
            nodes=[
                TracedNode(name="t", op="aten.permute.default", args=[read, [1, 0]]),
                TracedNode(
                    name="h",
                    op="aten.addmm.default",
                    args=[{"node": "tensor read.bias"}, {"node": "input 0"}, {"node": "t"}],
                ),
                TracedNode(name="a", op="aten.tanh.default", args=[{"node": "h"}]),
                TracedNode(name="u", op="aten.permute.default", args=[{"node": "tensor write.weight"}, [1, 0]]),
                TracedNode(name="y", op="aten.mm.default", args=[{"node": "a"}, {"node": "u"}]),
            ],
            output="y",
        )


def _check(value: Any) -> None:
    """Refuse an argument that `filled` cannot read."""
    if isinstance(value, list):
        for each in value:
            _check(each)
    elif isinstance(value, dict):
        ((word, said),) = value.items() if len(value) == 1 else ((None, None),)
        if word not in _WORDS or not isinstance(said, _WORDS[word]) or not _is_known(word, said):
            raise ValueError(f"an argument that cannot be read: {value!s:.60}")
    elif not (value is None or isinstance(value, bool | int | float | str)):
        raise ValueError(f"an argument of type {type(value).__name__}")


def _is_known(word: str, said: Any) -> bool:
    """Whether a word has a meaning here: a type of numbers, a number that JSON lacks, ..."""
    if word == "float":
        return said in ("inf", "-inf", "nan")
    if word == "dtype":
        return said == "floating" or isinstance(getattr(torch, said, None), torch.dtype)
    if word in ("layout", "memory_format"):
        return isinstance(getattr(torch, said, None), torch.layout | torch.memory_format)
    return word != "rows" or math.isfinite(said)
