"""Reading a plain feed-forward chain out of named tensors that nobody described."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...._errors import CheckpointError
from .._keys import begins, roles_hint
from .._values import Chain, Tensors, Told
from ._arrays import arrays_of
from ._names import WEIGHTS, Part, parts_of
from ._norms import Affine, after_layer, batch_norm_of, before_layer, fold_batch_norms, scaler_of
from ._order import in_order
from ._orientation import turned
from ._refused import leftover, refuse_families
from ._resolved import Layer, Module, resolved

ROLES = ("weight", "kernel", "bias", "ignore")


def chain_of(tensors: Tensors, told: Told) -> Chain:
    """Find the layers of a chain among named tensors.

    Each tensor is read by its name, its kind and its shape together. What is inferred is said; what cannot be
    inferred, or belongs to no chain, is refused by name.

    Parameters
    ----------
    tensors : Tensors
        The tensors of the chain.
    told : Told
        What the user said of them.

    Returns
    -------
    Chain
        Its layers first to last. A layer without a bias gets zeros.

    Raises
    ------
    CheckpointError
        A tensor has no place in a chain, or its role, the order or the orientation is not certain.

    Examples
    --------
    >>> state = {"W1": np.ones((2, 3)), "b1": np.zeros(3), "W2": np.ones((3, 1))}
    >>> chain = chain_of(Tensors(state), Told())
    >>> [layer.weight.shape for layer in chain.layers], chain.assumed[1]
    ([(3, 2), (1, 3)], 'the weights are stored [in, out]: only so do the shapes chain')
    """
    key = told.key if tensors.under is None else None
    state = tensors.state if key is None else _chosen(tensors.state, key)
    under = tensors.under or ""
    said = list(tensors.assumed)
    if key is not None:
        said.append(f"of several parts, the tensors under '{key}' are read: key was given")
    arrays = arrays_of(state)
    _check_finite(arrays)
    arrays, given = _with_roles(arrays, told.roles or {})
    parts, dropped = parts_of(arrays)
    said += dropped
    parts = _numbered([replace(part, kind=given.get(part.name, part.kind)) for part in parts])
    parts = _paired(parts, given)
    weights = [part.name for part in parts if part.array.ndim == 2 and part.kind in WEIGHTS]
    told_all = bool(weights) and all(name in given for name in weights)
    if not told_all:
        refuse_families([part for part in parts if part.name not in given], under)
    modules: dict[tuple[str, ...], Module] = {}
    for part in parts:
        modules.setdefault(part.module, {})[part.kind or part.name] = part
    layers, norms, scalers = [], [], {}
    rest: list[Part] = []
    for place, module in modules.items():
        if {"running_mean", "running_var"} <= module.keys():
            norms.append(batch_norm_of(place, module))
            continue
        if module.keys() in ({"mean", "std"}, {"mean", "scale"}):
            scalers[place] = module
            continue
        module, applied = resolved(module, told)
        said += applied
        layer, left = _layer(place, module)
        layers += [layer] if layer else []
        rest += left
    if rest:
        raise leftover(rest)
    if not layers:
        hint = "give model.state_dict() of a chain of linear layers"
        expected = "for each layer one weight of two axes and at most one bias of one axis"
        raise CheckpointError("no layers", where="the state", expected=expected, hint=hint)
    if told_all:
        first = list(given)
        layers.sort(key=lambda layer: first.index(layer.name))
        said.append("the layers stand in the order of roles, which was given")
    else:
        _refuse_table([layer for layer in layers if layer.name not in given] if layers[0].name not in given else [])
        layers, why = in_order(layers, tensors.ordered, under)
        said += why
    linears, why = turned(layers, told)
    linears, folded = fold_batch_norms(linears, layers, norms, told)
    linears, scaled = _rescaled(linears, scalers)
    for name, role in given.items():
        said.append(f"'{name}' is read as {role}: roles was given")
    ignored = [f"'{name}' is left out: roles was given" for name in state if (told.roles or {}).get(name) == "ignore"]
    return Chain(linears, assumed=(*said, *why, *folded, *scaled, *ignored))


def _rescaled(linears: list, scalers: Mapping[tuple[str, ...], Module]) -> tuple[list, list[str]]:  # type: ignore[type-arg]
    said = []
    ends = linears[0].weight.shape[1], linears[-1].weight.shape[0]
    seen: dict[str, Affine] = {}
    for place, module in scalers.items():
        affine, side = scaler_of(place, module, ends)
        if side in seen:
            raise leftover(list(module.values()))
        seen[side] = affine
        if side == "inputs":
            linears[0] = before_layer(linears[0], affine)
            said.append(f"{affine.said} are mean and deviation of the inputs, and are folded into '{linears[0].name}'")
        else:
            linears[-1] = after_layer(linears[-1], affine)
            said.append(
                f"{affine.said} are mean and deviation of the outputs, and are folded into '{linears[-1].name}'"
            )
    return linears, said


def _chosen(state: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = {name: tensor for name, tensor in state.items() if begins(name, key)}
    if not found:
        roots = ", ".join(dict.fromkeys(re.split(r"[./]", str(name))[0] for name in state))
        raise CheckpointError("no tensors under that key", where=f"key='{key}'", expected=roots[:200], got=f"'{key}'")
    return found


def _with_roles(
    arrays: dict[str, np.ndarray], roles: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    for name, role in roles.items():
        if name not in arrays or role not in ROLES:
            names = ", ".join(list(arrays)[:8])
            expected = f"one of {', '.join(ROLES)} for one of {names}"
            raise CheckpointError(
                "a role that cannot be given", where=f"roles, '{name}'", expected=expected, got=repr(role)
            )
    given = {name: role for name, role in roles.items() if role != "ignore"}
    for name, role in given.items():
        axes = arrays[name].ndim
        if axes != 2 and role != "bias":
            got = f"{axes} axes"
            raise CheckpointError(
                "a role that does not fit", where=f"'{name}'", expected=f"a {role} of two axes", got=got
            )
    return {name: array for name, array in arrays.items() if roles.get(name) != "ignore"}, given


def _check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong = int((~np.isfinite(array)).sum())
            raise CheckpointError(
                "weights that are not finite", where=f"tensor '{name}'", expected="finite numbers",
                got=f"{wrong} of {array.size} are NaN or infinite", hint="take the weights of an earlier step",
            )  # fmt: skip


def _numbered(parts: list[Part]) -> list[Part]:
    """Names that differ by a number alone (arr_0, arr_1, ...): matrices are weights, vectors the biases after them."""
    if any(part.kind for part in parts) or not parts:
        return parts
    words = {re.sub(r"\d+", "", ".".join(part.module)) for part in parts}
    if len(words) > 1 or not all(re.search(r"\d", part.module[-1]) for part in parts):
        return parts
    done, last = [], None
    for part in sorted(parts, key=lambda part: [int(n) for n in re.findall(r"\d+", ".".join(part.module))]):
        if part.array.ndim == 2:
            last = replace(part, kind="plain")
            done.append(last)
        elif part.array.ndim == 1 and last is not None:
            done.append(replace(part, kind="bias", module=last.module))
            last = None
        else:
            done.append(part)
    return done


def _paired(parts: list[Part], given: Mapping[str, str]) -> list[Part]:
    """A bias whose name tells no layer belongs to the weight that was named before it."""
    by_name = {part.name: part for part in parts}
    places = {part.module for part in parts if part.kind in WEIGHTS}
    before, moved = None, {}
    for name, role in given.items():
        part = by_name[name]
        if role != "bias":
            before = part
        elif part.module not in places and before is not None:
            moved[name] = replace(part, module=before.module)
    return [moved.get(part.name, part) for part in parts]


def _layer(place: tuple[str, ...], module: Module) -> tuple[Layer | None, list[Part]]:
    """The layer of a module, and what is left of its tensors."""
    kind = next((kind for kind in WEIGHTS if kind in module and module[kind].array.ndim == 2), None)
    if kind is None:
        return None, list(module.values())
    bias = module.get("bias")
    if bias is not None and not (bias.array.ndim == 1 or (bias.array.ndim == 2 and 1 in bias.array.shape)):
        bias = None
    used = {kind, *(["bias"] if bias is not None else [])}
    weight = module[kind]
    layer = Layer(place, weight.name, weight.array, bias, kind)
    return layer, [part for found, part in module.items() if found not in used]


def _refuse_table(layers: list[Layer]) -> None:
    """A first weight without a bias, where all others have one, may be a table of tokens that the second reads."""
    if len(layers) < 2 or layers[0].kind != "weight" or layers[0].bias is not None:
        return
    if all(layer.bias is not None for layer in layers[1:]) and not (
        layers[1].weight.shape[1] % layers[0].weight.shape[1]
    ):
        name = layers[0].name
        raise CheckpointError(
            "a first weight without a bias, which may be an embedding", where=f"'{name}' {layers[0].weight.shape}",
            expected="a bias, as the other layers have",
            hint=f"if it is a layer say {roles_hint({name: 'weight'})}",
        )  # fmt: skip
