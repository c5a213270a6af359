"""The contract that every kind of model fulfils, and the registry of the kinds."""

import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ConfigDict

from .._errors import InputError
from ..layouts._group import Group
from ..registry import Entry, Registry
from ..showing import Shown
from ._dense_layers import DenseLayers
from ._hidden_parts import HiddenPart

Shape = tuple[int, ...]


class Strict(BaseModel):
    """Plain values of which nothing is converted and nothing passed over.

    Examples
    --------
    >>> class Sizes(Strict):
    ...     width: int
    >>> Sizes(width=3)
    Sizes(width=3)
    """

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, kw_only=True, repr=False)
class Ends(Shown):
    """What a network reads and gives: the part of a model that its task decides.

    Attributes
    ----------
    inputs : int
        Columns of x.
    outputs : int
        Numbers given for each row, or at each token.
    tokens : int
        How many different tokens the columns may hold; 0 where they hold numbers.
    sequence : bool
        Whether outputs are given at each token, and not once a row.

    Examples
    --------
    >>> Ends(inputs=4, outputs=2)
    Ends(inputs=4, outputs=2)
    """

    inputs: int
    outputs: int
    tokens: int = 0
    sequence: bool = False


class ModelOptions(Strict):
    """What the options of one kind of model are, and all that follows from them before anything is built.

    A kind declares its options as fields, with the names and types of its class's arguments. Values are plain JSON.
    `shapes`, `ends`, `for_task` and `example` must be written; the others have defaults that are safe for any model.
    Two names have a meaning for all kinds: ``widths`` are the neurons of layers one after the other, inputs and outputs
    included, and ``tokens`` says how many different tokens the inputs may be, which are then not among the widths.

    Examples
    --------
    >>> from bimt_train.models import MODELS
    >>> options = MODELS["mlp"].options(widths=[4, 20, 2], activation="silu")
    >>> dict(options.shapes())["layers.0.weight"]
    (20, 4)
    """

    @abstractmethod
    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Name and shape of every tensor that the model has, parameters and stored buffers alike.

        They come one by one, because the options of a damaged file may promise more than memory holds.
        """

    @property
    @abstractmethod
    def ends(self) -> Ends:
        """What the model reads and gives."""

    @classmethod
    @abstractmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Options of a model for a task.

        Parameters
        ----------
        ends : Ends
            What the task's rows and targets are.
        hidden : sequence of int
            Neurons of each hidden layer; empty for the kind's own choice.

        Returns
        -------
        ModelOptions
            The options.

        Raises
        ------
        InputError
            A model of this kind cannot have these ends.
        """

    @classmethod
    @abstractmethod
    def example(cls) -> Self:
        """Options of a small model, by which the contract is tested and documented."""

    @property
    def sequence_steps(self) -> int:
        """How many times the columns of x run over the input neurons: the layout's ``steps``."""
        return 1

    def with_hidden(self, hidden: Sequence[int]) -> Self:
        """Options with other hidden layers, the rest unchanged.

        Parameters
        ----------
        hidden : sequence of int
            Neurons of each hidden layer.

        Returns
        -------
        ModelOptions
            Options of the same ends.

        Raises
        ------
        InputError
            The model is not made of layers, as most are not.
        """
        raise InputError("a model without hidden layers to choose", got=type(self).__name__.removesuffix("Options"))

    def rows(self, inputs: Any) -> Float64[np.ndarray, "rows columns"]:
        """What the module reads, as rows of the table that a network of this kind reads.

        Parameters
        ----------
        inputs : array of shape (rows, ...)
            Rows; images and the like are flattened. A kind that reads other shapes takes them as its module does.

        Returns
        -------
        array of float, shape (rows, inputs)
            One column an entry.
        """
        rows = np.asarray(inputs, dtype=np.float64)
        return rows.reshape(len(rows), -1) if rows.ndim > 2 else rows

    def hidden_parts(self) -> tuple[HiddenPart, ...] | None:
        """How the hidden groups compute, in the order of computation; None where the kind does not say.

        Whoever declares them says that, beside norms and these parts, the layout's weights are the only ways from
        neuron to neuron. Hidden groups that are not named keep all their neurons. Pruning leaves a network alone, but
        for the weights that are cut, where this is None.
        """
        return None

    def dense_layers(self) -> DenseLayers | None:
        """Say that the network is layers one after the other and nothing else; None where the kind does not say.

        Networks of which this is known are trained by compiled code.
        """
        return None

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """The options of the model that is left when hidden neurons are taken out.

        Parameters
        ----------
        groups : mapping of str to Group
            Every group of the smaller layout, in order, with its size and heads.

        Returns
        -------
        ModelOptions
            Options with the smaller sizes. Needed where `hidden_parts` is given.
        """
        raise NotImplementedError(f"{type(self).__name__} has hidden parts but no resized()")

    def to_json(self) -> dict[str, Any]:
        """The options as plain values; what is left out stays out."""
        return self.model_dump(exclude_none=True)


@dataclass(frozen=True, kw_only=True)
class ModelKind(Entry):
    """A kind of model: a ``torch.nn.Module`` class that comes with its options and its layout.

    Attributes
    ----------
    name : str
        What `ModelSpec.kind` and checkpoints call it.
    label : str
        A few words for tables and pictures.
    sentence : str
        One sentence that says what it computes.
    function : type
        The class. It takes the options and ``generator``, and has ``spec`` and ``layout(input_labels=(),
        output_labels=(), movable_ends=True)``. It may have ``stacked_forward`` for many sets of weights at once.
    options : type
        The subclass of `ModelOptions`.
    check : callable, optional
        Is given the options of a file before anything is built of them, and raises an `InputError` for such as cannot
        be; for kinds whose fields alone do not tell.

    Raises
    ------
    TypeError
        The options are no `ModelOptions`, or lack one of its methods.

    Examples
    --------
    >>> MODELS["rnn"].label
    'recurrent network'
    """

    options: type[ModelOptions]
    check: Callable[[Any], object] | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.options, type) and issubclass(self.options, ModelOptions)):
            raise TypeError(f"options {self.options!r} are no subclass of ModelOptions")
        if inspect.isabstract(self.options):
            missing = ", ".join(sorted(self.options.__abstractmethods__))
            raise TypeError(f"{self.options.__name__} lacks {missing}")
        for name in ("spec", "layout", "forward"):
            if not hasattr(self.function, name):
                raise TypeError(f"the class lacks {name}")


MODELS: Registry[ModelKind] = Registry(
    "kind of model",
    ModelKind,
    builtin={
        "mlp": "bimt_train.models._mlp",
        "image-mlp": "bimt_train.models._image_mlp",
        "embedding-mlp": "bimt_train.models._embedding_mlp",
        "gated-mlp": "bimt_train.models._gated_mlp",
        "row-transformer": "bimt_train.models._row_transformer",
        "gpt": "bimt_train.models._gpt",
        "llama": "bimt_train.models._llama",
        "program-transformer": "bimt_train.models._program_transformer",
        "rnn": "bimt_train.models._rnn",
        "traced": "bimt_train.models.traced._traced_module",
    },
    group="bimt.models",
    unlisted=["traced"],
)
"""Every kind of model that can be trained by name; ``traced``, somebody's own module, is found but not offered."""
