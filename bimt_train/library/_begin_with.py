"""Training begins with modules of other networks, or with a trained network."""

from collections.abc import Mapping, Sequence

from .._errors import InputError
from ..checkpoints import Checkpoint
from ..checkpoints._task_spec import TaskSpec
from ..layouts import Layout
from ..models import ModelSpec
from ..models.from_spec import options_of
from ._beginning import Beginning
from ._from_modules import from_modules
from ._from_network import from_network
from ._stored_module import StoredModule


def begin(
    given: Checkpoint | Sequence[StoredModule],
    task: TaskSpec,
    model: ModelSpec,
    layout: Layout,
    shapes: Mapping[str, tuple[int, ...]],
    *,
    keep: bool,
) -> Beginning:
    """What the networks of a task begin with.

    Parameters
    ----------
    given : Checkpoint or sequence of StoredModule
        A trained network, or one module or more.
    task : TaskSpec
        Names and units.
    model : ModelSpec
        What kind of network is trained.
    layout : Layout
        Of these networks.
    shapes : mapping of str to tuple of int
        Their tensors that are trained.
    keep : bool
        Whether what is given stays as it is.

    Raises
    ------
    InputError
        For what this network cannot begin with.
    """
    if isinstance(given, Checkpoint):
        return from_network(given, layout, shapes, keep=keep)
    if not all(isinstance(one, StoredModule) for one in given):
        raise InputError(
            "training begins with a checkpoint or with modules", where="given",
            expected="a Checkpoint, or a list of StoredModule", got=", ".join(type(one).__name__ for one in given),
        )  # fmt: skip
    options = options_of(model)
    return from_modules(given, task, None if options is None else options.dense_layers(), layout, keep=keep)
