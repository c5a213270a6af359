"""The state dict in what a training script saved: under any key, and only one unless a key chooses."""

import re
from collections.abc import Mapping
from typing import Any

from ...._errors import CheckpointError
from .._keys import begins, key_hint

DEEP = 8  # levels that are searched
_PLAIN = "save it anew with torch.save(model.state_dict(), path)"
_OF_TRAINING = {"param_groups", "growth_factor", "last_epoch"}  # of optimisers, of scalers of losses, of schedules
_OF_LAYERS = re.compile(r"(layer|linear|dense)s?$", re.IGNORECASE)
_UNITS = r"_(means?|stds?|scales?|scalers?|mu|sigma|mins?|maxs?|norms?|normalizers?|normalization|shifts?|offsets?)_"


def state_dict_in(content: Any, key: str | None) -> tuple[Mapping[str, Any], str, tuple[str, ...]]:
    """Find the state dict in nested mappings and lists.

    Parameters
    ----------
    content : object
        What the file held.
    key : str or None
        The path of one of several, as ``"ema"`` or ``"models.0"``. It may go on into the names of tensors.

    Returns
    -------
    state : mapping of str to tensor
        The tensors by name.
    path : str
        The path of their mapping, empty for the whole content.
    assumed : tuple of str
        Where they were found, and what was left out.

    Raises
    ------
    CheckpointError
        There is none, or there are several and no key, or numbers beside it may be units.

    Examples
    --------
    >>> import torch
    >>> state_dict_in({"model": {"0.weight": torch.eye(2)}, "epoch": 3}, None)[1:]
    ('model', ("the state dict is the one under 'model', the only one in the file; 'epoch' left out",))
    """
    import torch

    top = isinstance(content, Mapping) and all(isinstance(name, str) for name in content)
    if top and content and all(isinstance(value, torch.Tensor) for value in content.values()) and key is None:
        return content, "", ()
    found: dict[str, Mapping[str, Any]] = {}
    _search(content, "", found, set(), 0)
    found = found or _lists(content)
    if not found:
        got = type(content).__name__
        if isinstance(content, Mapping):
            got = (
                ", ".join(f"'{name}' {type(value).__name__}" for name, value in list(content.items())[:4]) or "nothing"
            )
        raise CheckpointError("no state_dict", expected="names and tensors", got=got, hint=_PLAIN)
    if len(found) > 1 and key is None:
        found = _as_layers(found, content)
    if key is not None:
        path, state, said = _chosen(found, content, key)
        return _tensors(state), path, (f"{said}: key was given",)
    if len(found) > 1:
        named = ", ".join(
            f"'{path or '.'}' ({len(_tensors(state))} tensors)" for path, state in list(found.items())[:8]
        )
        raise CheckpointError(
            "several networks in one file",
            where=named,
            expected="one",
            hint=f"choose one with {key_hint(next(iter(found)) or '.')}",
        )
    ((path, state),) = found.items()
    beside = _beside(content, path, state)
    left = list(beside)
    of_training = {name for name, value in beside.items() if isinstance(value, Mapping) and _OF_TRAINING & value.keys()}
    units = [
        name for name, value in beside.items()
        if name not in of_training and (re.search(_UNITS, f"_{name.lower()}_") or _numbers(value, 0))
    ]  # fmt: skip
    if units:
        raise CheckpointError(
            "numbers beside the network that may belong to it, or be the units of its ends",
            where=", ".join(f"'{name}'" for name in units[:6]), expected="a network alone",
            hint=f"give {key_hint(path or '.')} to read the network without them, and rows as it sees them",
        )  # fmt: skip
    where = f"the state dict is the one under '{path}', the only one in the file" if path else ""
    out = f"{', '.join(repr(name) for name in left[:8])} left out" if left else ""
    return _tensors(state), path, tuple(filter(None, ["; ".join(filter(None, (where, out)))]))


def _chosen(found: dict[str, Mapping[str, Any]], content: Any, key: str) -> tuple[str, Mapping[str, Any], str]:
    """The path and the mapping that a key means, and a few words on it."""
    exact = {path: state for path, state in found.items() if path == ("" if key == "." else key)}
    inside = {path: state for path, state in found.items() if path.startswith(f"{key}.")}
    whole = exact or (_as_layers(inside, content) if len(inside) > 1 else inside)
    if len(whole) == 1:
        ((path, state),) = whole.items()
        return path, state, f"the state dict is the one under '{path or '.'}'"
    parts = {}
    for path, state in found.items():
        rest = key if path == "" else key.removeprefix(f"{path}.")
        if path == "" or rest != key:
            parts[path] = {name: tensor for name, tensor in _tensors(state).items() if begins(name, rest)}
    parts = {path: part for path, part in parts.items() if part}
    if len(parts) == 1 and not whole:
        ((path, part),) = parts.items()
        return path, part, f"of several parts, the tensors under '{key}' are read"
    expected = " or ".join(f"'{path or '.'}'" for path in list(whole or found)[:8])
    raise CheckpointError("no network under that key", where=f"key='{key}'", expected=expected, hint="name one")


def _tensors(state: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _search(content: Any, path: str, found: dict[str, Mapping[str, Any]], seen: set[int], depth: int) -> None:
    import torch

    if id(content) in seen or depth > DEEP:
        return
    if isinstance(content, Mapping):
        seen.add(id(content))
        if "param_groups" in content:  # an optimiser's, whose tensors are moments
            return
        names = [name for name in content if isinstance(name, str)]
        if len(names) == len(content) and any(isinstance(v, torch.Tensor) and v.ndim > 1 for v in content.values()):
            found[path] = content
        items = [(str(name), value) for name, value in content.items()]
    elif isinstance(content, list | tuple):
        seen.add(id(content))
        items = [(str(index), value) for index, value in enumerate(content)]
    else:
        return
    for name, value in items:
        _search(value, f"{path}.{name}" if path else name, found, seen, depth + 1)


def _lists(content: Any) -> dict[str, Mapping[str, Any]]:
    """Lists of arrays, or of a weight and a bias for each layer, by path; arrays are called by their place."""
    items = content.items() if isinstance(content, Mapping) else [("", content)]
    flat = {str(name): _flat(value, 0) for name, value in items if isinstance(value, list | tuple)}
    return {
        path: {f"arr_{place}": tensor for place, tensor in enumerate(tensors)}
        for path, tensors in flat.items()
        if sum(tensor.ndim > 1 for tensor in tensors) > 1  # one alone may be rows of data
    }


def _flat(value: Any, depth: int) -> list[Any]:
    """The tensors of a list, of pairs too, in order; none where it holds anything else."""
    import torch

    if isinstance(value, torch.Tensor):
        return [value]
    if not isinstance(value, list | tuple) or depth > 1:
        return []
    parts = [_flat(each, depth + 1) for each in value]
    return [tensor for part in parts for tensor in part] if all(parts) else []


def _as_layers(found: dict[str, Mapping[str, Any]], content: Any) -> dict[str, Mapping[str, Any]]:
    """Mappings of one weight each beside each other are the layers of one network, with what stands among them."""
    parents = {path.rpartition(".")[0] for path in found}
    single = all(sum(t.ndim > 1 for t in _tensors(state).values()) == 1 for state in found.values())
    if len(parents) != 1 or not single:
        return found
    (parent,) = parents
    flat: dict[str, Any] = {}
    whole = _at(content, parent)
    if isinstance(whole, list | tuple) and _OF_LAYERS.search(parent):  # else they may be one network, again and again
        whole = {str(place): inside for place, inside in enumerate(whole)}
    for name, inside in whole.items() if isinstance(whole, Mapping) else ():
        if not isinstance(inside, Mapping) or not _tensors(inside) or len(_tensors(inside)) < len(inside):
            return found
        flat |= {f"{name}.{kind}": tensor for kind, tensor in inside.items()}
    return {parent: flat} if flat else found


def _at(content: Any, path: str) -> Any:
    for piece in path.split(".") if path else []:
        if isinstance(content, Mapping):
            content = next((value for name, value in content.items() if str(name) == piece), None)
        elif isinstance(content, list | tuple):
            content = content[int(piece)]
    return content


def _beside(content: Any, path: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """What the file holds beside the network, at each level above it, by name."""
    import torch

    layers = _at(content, path) is not state  # put together of several mappings
    left = {} if layers else {name: value for name, value in state.items() if not isinstance(value, torch.Tensor)}
    here = content
    for piece in path.split(".") if path else []:
        if isinstance(here, Mapping):
            left |= {str(name): value for name, value in here.items() if str(name) != piece}
        elif isinstance(here, list | tuple):
            left |= {str(index): value for index, value in enumerate(here) if str(index) != piece}
        here = _at(here, piece)
    return left


def _numbers(value: Any, depth: int) -> bool:
    """Whether a mapping or list holds tensors of several numbers; an optimiser's, and states of draws, do not count."""
    import torch

    if isinstance(value, torch.Tensor):
        return depth > 0 and value.ndim > 0 and value.is_floating_point()
    if depth > DEEP or (isinstance(value, Mapping) and _OF_TRAINING & value.keys()):
        return False
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(_numbers(each, depth + 1) for each in inside)
