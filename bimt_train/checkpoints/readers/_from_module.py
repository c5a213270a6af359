"""Any module of torch, with rows, as a checkpoint."""

import inspect
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from ..._errors import CheckpointError, InputError
from ...expressions._formula_reader import is_variable_name
from ...layouts._inputs import Inputs, guessed_inputs
from ...layouts._layout import Layout
from .._checkpoint import Checkpoint, Probe
from .._network import Network
from .._task_spec import TaskSpec
from ..own_outputs import OWN_OUTPUTS
from ._about import AboutTask, checkpoint_of
from ._network_of import checkpoint_of_chain
from ._targets import targets_of

if TYPE_CHECKING:
    import torch
    from torch import nn

_SAID = "module: {}, exported as a program of torch's operators"
_BEFORE_END = "outputs: the numbers before the {} with which the module ends"
_CHANCES = ("sigmoid", "softmax", "logsoftmax")
_FEW = 8
_HELD_OUT = 5  # every so many rows one is kept for testing


def from_module(
    module: "nn.Module",
    x: Any = None,
    *,
    layout: Layout | None = None,
    output: str | int | None = None,
    **about: Unpack[AboutTask],
) -> Checkpoint:
    """Make a checkpoint of any module that torch can export.

    The module is run in evaluation mode, and left as it is. Linear layers one after the other, with one activation
    between them, become a network of layers, as from a file of weights; dropout, batch norms and fixed numbers that
    scale or shift may stand between. Any other module is exported as a program of torch's own operators, so the
    checkpoint runs, and can be saved and read back, where the module's class is unknown.

    Parameters
    ----------
    module : torch.nn.Module
        Any module that treats rows, along the first axis of every argument, one by one. Of several outputs the first
        counts, unless ``output`` names another.
    x : array or Tensor of shape (rows, ...), tuple of them, or mapping of str to them
        Rows of what the module takes: its only argument, several by position, or several by name. Numbers, tokens,
        images, sequences. Left out where ``ranges`` are given. Columns of several arguments, side by side, are called
        by the argument and their number in it (a1, a2, b), unless ``inputs`` names them.
    layout : Layout, optional
        Groups and declarations of the traced module; left out, what tracing finds (`bimt_train.layouts.layout_for`).
    output : str or int, optional
        Which of several outputs counts: a key, a field or a number.
    **about
        ``y``, targets, an array of shape (rows, outputs), or (rows,) for one output or for the numbers of classes; of a
        module that gives logits at each token, the tokens that follow, (rows, places). Left out, the module's own
        outputs take their place. ``ranges``, for a module that reads rows of numbers. ``inputs``, ``outputs``,
        ``decomposition``, ``loss`` and ``standardize`` as `from_state_dict` takes them.

    Returns
    -------
    Checkpoint
        With ``{"adapter": "module", "assumed": [...]}`` as its config.

    Raises
    ------
    InputError
        The module cannot be exported, cannot be run on x, or mixes rows.
    LayoutError
        No layout can be derived.
    CheckpointError
        Names or targets do not fit the module.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    >>> images = np.random.default_rng(0).normal(size=(20, 1, 6, 6)).astype(np.float32)
    >>> checkpoint = from_module(module, images)
    >>> checkpoint.probe.x_train.shape, dict(checkpoint.network.layout.sizes)
    ((16, 36), {'x': 1, 'h1': 4, 'y': 2})
    """
    drawn = x is None
    rows = _drawn(module, about.get("ranges")) if drawn else _as_taken(module, x)
    if layout is None and output is None and (found := _as_chain(module, rows, about, drawn)) is not None:
        return found
    return checkpoint_of_module(module, rows, about, layout=layout, output=output, drawn=drawn)


def _as_chain(module: "nn.Module", x: Any, about: AboutTask, drawn: bool) -> Checkpoint | None:
    """The module as a chain of layers, which every export takes; None where it is none."""
    from ._module_chain import chain_of_module  # brings torch

    given: Any = {**about, **_no_end(about)}
    chain = chain_of_module(module, x)
    if chain is None:
        return None
    if not drawn:
        rows = Inputs.of(x).first
        given["x"] = rows.reshape(len(rows), -1).double().numpy()
    words = _take_targets(given)
    if chain.final in _CHANCES:
        if not _asks_for_logits(given):
            return None
        words.append(_BEFORE_END.format(chain.final.removeprefix("log")))
    elif chain.final != "identity":
        given["final"] = chain.final
        words.append(f"outputs: the module ends with {chain.final}")
    plain = replace(chain, final="identity", assumed=(*chain.assumed, *words))
    return checkpoint_of_chain(plain, "module", None, given)


def checkpoint_of_module(
    module: "nn.Module",
    x: Any,
    about: AboutTask,
    *,
    layout: Layout | None = None,
    output: str | int | None = None,
    drawn: bool = False,
) -> Checkpoint:
    """Make a checkpoint of a module and rows that it takes.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    x : array or Tensor of shape (rows, ...), tuple of them, or mapping of str to them
        Rows as the module takes them.
    about : AboutTask
        What neither says.
    layout : Layout, optional
        Groups and declarations; left out, what tracing finds.
    output : str or int, optional
        Which of several outputs counts; left out, the first.
    drawn : bool
        Whether the rows are a few that were drawn, and ``about`` gives ranges in their place.

    Returns
    -------
    Checkpoint
        As `from_module` describes it.
    """
    given: Any = {**about, **_no_end(about)}
    network, said = _traced(module, x, layout, output)
    if not given.get("inputs") and (names := _column_names(module, x, about.get("outputs") or ())):
        given["inputs"] = names
    if drawn:
        return checkpoint_of(network, "module", given, said)
    given["x"] = network.rows(x)
    said += _take_targets(given)
    if network.predict(given["x"][:1]).ndim > 2:
        return _of_sequences(network, given, said)
    if _asks_for_logits(given):
        network, more = _with_logits(network)
        said += more
    return checkpoint_of(network, "module", given, said)


def _no_end(about: AboutTask) -> AboutTask:
    """The module says how it ends."""
    if about.get("final", "auto") not in ("auto", "none"):
        hint = "leave it out: the module says how it ends"
        raise CheckpointError("an end beside a module", where="final", got=str(about["final"]), hint=hint)
    return {"final": "none"}


def _take_targets(given: dict[str, Any]) -> list[str]:
    """Put targets as a table into what is given; what was done to them."""
    targets, words = targets_of(given.get("y"))
    given["y"] = None if targets is None else targets.reshape(len(targets), -1)
    return [*words]


def _traced(module: "nn.Module", x: Any, layout: Layout | None, output: str | int | None) -> tuple[Network, list[str]]:
    """The module as a network, and what was done to make it one."""
    from ...models.traced import trace_module  # brings torch

    traced = trace_module(module, x, layout, output)
    return Network.of(traced.module, traced.layout), [_SAID.format(type(module).__name__), *traced.said]


def _column_names(module: "nn.Module", x: Any, outputs: Sequence[str]) -> list[str] | None:
    """Names of the columns by the arguments that they belong to; None for a single argument, or where two are alike."""
    import torch

    given = Inputs.of(x)
    said = [*inspect.signature(module.forward).parameters][: len(given.positional)]
    words = said if len(said) == len(given.positional) else [f"x{k + 1}_" for k in range(len(given.positional))]
    values = [*zip(words, given.positional, strict=True), *given.named.items()]
    counts = [(word, math.prod(v.shape[1:])) for word, v in values if isinstance(v, torch.Tensor)]
    return names_by_argument(counts, outputs) if len(counts) > 1 else None


def names_by_argument(
    counts: Sequence[tuple[str, int]], taken: Sequence[str] = (), reserved: str = "y"
) -> list[str] | None:
    """Call columns by the argument, or the output, that they belong to, and their number in it.

    Parameters
    ----------
    counts : sequence of (str, int)
        Each argument, and how many columns it has.
    taken : sequence of str
        Names of the other end's columns.
    reserved : str
        The letter of the names that the other end has by default.

    Returns
    -------
    list of str or None
        One a column; None where two would be alike, or one cannot stand in a formula.

    Examples
    --------
    >>> names_by_argument([("a", 2), ("b", 1)]), names_by_argument([("1st", 2)])
    (['a1', 'a2', 'b'], None)
    """
    names = [f"{word}{k + 1}" if count > 1 else word for word, count in counts for k in range(count)]
    numbered = {name for name in names if re.fullmatch(rf"{reserved}\d*", name)}
    if len({*names}) < len(names) or not all(map(is_variable_name, names)) or {*taken} & {*names} or numbered:
        return None
    return names


def _drawn(module: "nn.Module", ranges: Any) -> "torch.Tensor":
    """A few rows between the ranges, as many columns wide as the module's first layer reads."""
    import torch

    found = [each.first for each in guessed_inputs(module) if each.first.is_floating_point()]
    if ranges is None or not found:
        expected, hint = "rows of what the module takes", "give x, on the command line --probe"
        raise InputError("no inputs on which to run the module", expected=expected, hint=hint)
    pairs = np.broadcast_to(np.asarray(ranges, dtype=np.float64), (found[0].shape[-1], 2))
    rows = np.random.default_rng(0).uniform(pairs[:, 0], pairs[:, 1], (_FEW, len(pairs)))
    return torch.tensor(rows, dtype=torch.float32)


def _as_taken(module: "nn.Module", x: Any) -> Any:
    """Rows of a table as tokens, where they are whole numbers and the module looks its input up."""
    whole = isinstance(x, np.ndarray) and x.dtype == np.float64 and x.ndim == 2 and bool((x == np.floor(x)).all())
    looked_up = whole and any(not each.first.is_floating_point() for each in guessed_inputs(module))
    return x.astype(np.int64) if looked_up else x


def _asks_for_logits(given: dict[str, Any]) -> bool:
    """Whether targets are yes or no, or classes, of which a sigmoid or softmax gives the chances."""
    y = given.get("y")
    if y is None or given.get("loss", "auto") == "mse":
        return False
    return bool((y == np.floor(y)).all() and y.min() >= 0)


def _with_logits(network: Network) -> tuple[Network, list[str]]:
    """The network without the sigmoid or softmax at its end."""
    from ...models.traced import TracedOptions, without_end  # brings torch

    found = without_end(TracedOptions.model_validate(dict(network.model.options)))
    if found is None:
        return network, []
    model = replace(network.model, options=found.options.to_json())
    return replace(network, model=model), [_BEFORE_END.format(found.final)]


def _of_sequences(network: Network, given: dict[str, Any], said: list[str]) -> Checkpoint:
    """A module that says the next token at each place."""
    x, y = given["x"], given.get("y")
    logits = network.predict(x)
    targets = logits.argmax(axis=-1).astype(np.float64) if y is None else y
    places, tokens = x.shape[1], logits.shape[-1]
    if targets.shape != x.shape or not np.isin(targets, np.arange(tokens)).all():
        expected = f"[{len(x)}, {places}], tokens from 0 to {tokens - 1}"
        hint = "give the right token at each place"
        raise CheckpointError("targets that are no tokens", where="y", expected=expected,
                              got=str(list(targets.shape)), hint=hint)  # fmt: skip
    inputs = tuple(given.get("inputs") or (f"t{place + 1}" for place in range(places)))
    outputs = tuple(given.get("outputs") or (f"y{token + 1}" for token in range(tokens)))
    ranges = ((0, max(1, int(x.max()))),) * places
    task = TaskSpec(
        "foreign", inputs, outputs, ranges, loss="next-token", decomposition=given.get("decomposition")
    )  # fmt: skip
    test = np.arange(len(x)) % _HELD_OUT == _HELD_OUT - 1
    config: dict[str, Any] = {"adapter": "module", "assumed": said}
    if y is None:
        config |= {"targets": OWN_OUTPUTS, "assumed": [*said, "targets: the module's own choice at each place"]}
    return Checkpoint(network, task, Probe(x[~test], targets[~test], x[test], targets[test]), config)
