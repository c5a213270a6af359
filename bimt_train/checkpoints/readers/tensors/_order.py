"""The order of layers: by the numbers in their names, else by the file's order and the shapes."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from ...._errors import CheckpointError
from .._keys import key_hint, key_of, roles_hint
from ._orientation import ways
from ._resolved import Layer

Run: TypeAlias = list[Layer]

_FIRST, _EARLY, _MIDDLE, _LATE, _LAST = range(5)
_RANK = {
    **dict.fromkeys(("in", "inp", "input", "stem", "first", "fc_in", "input_layer"), _FIRST),
    **dict.fromkeys(("encoder", "enc", "backbone", "body", "features", "base", "feature_extractor"), _EARLY),
    **dict.fromkeys(("decoder", "dec"), _LATE),
    **dict.fromkeys(
        ("out", "output", "last", "final", "head", "classifier", "readout", "regressor", "predictor", "fc_out",
         "logits", "out_layer", "output_layer", "proj_out"), _LAST,
    ),
}  # fmt: skip
MOST = 7  # runs whose orders are all tried
_SHOWN = 12  # layers that a hint names one by one


class _Where(NamedTuple):
    """Where in the file the layers lie, and how a hint says the order of all of them."""

    under: str
    roles: str


def in_order(layers: Sequence[Layer], ordered: bool, under: str = "") -> tuple[list[Layer], list[str]]:
    """Put layers in the order in which they are applied.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of the file.
    ordered : bool
        Whether that order means anything.
    under : str
        Where in the file the layers lie, for hints.

    Returns
    -------
    layers : list of Layer
        First to last.
    assumed : list of str
        Why in this order.

    Raises
    ------
    CheckpointError
        Parts may stand side by side, blocks may have skip connections, or several orders would do.
    """
    where = _Where(under, _every(layers))
    runs = _runs(layers, 0, ordered, where)
    flat = list(itertools.chain(*runs))
    if len(runs) == 1:
        return flat, [f"the layers stand in the order of the numbers in their names: {_said(flat)}"] if flat[1:] else []
    ranks = [_rank(run) for run in runs]
    if ordered:
        clash = ranks != sorted(ranks) and _MIDDLE not in ranks
        clash = clash or any(_before(a, b) for a, b in itertools.combinations(ranks, 2))
        if clash and _chains(flat):
            raise _unclear(runs, where, "their names and the file's order disagree")
        if _letters(runs) and 1 < len(runs) <= MOST and len(list(_possible(runs))) > 1:
            raise _unclear(runs, where, "names of one letter, and shapes that allow several orders")
        why = "names have no numbers for all of them" if len(flat) > len(runs) else "their names have no numbers"
        return flat, [f"the layers stand in the order of the file, as {why}: {_said(flat)}"]
    numbers = [_numbers(run[0]) for run in runs]
    if all(numbers) and len(set(numbers)) == len(numbers) and all(len(run) == 1 for run in runs):
        flat = [run[0] for _, run in sorted(zip(numbers, runs, strict=True), key=lambda pair: pair[0])]
        return flat, [f"the layers stand in the order of the numbers in their names: {_said(flat)}"]
    if len(runs) > MOST:
        raise _unclear(runs, where, "the file keeps no order, and names have no numbers")
    possible = list(_possible(runs))
    if len(possible) != 1:
        raise _unclear(runs, where, "the file keeps no order, names have no numbers, and the shapes allow several")
    return possible[0], [f"the layers stand in the only order that shapes and names allow: {_said(possible[0])}"]


def _letters(runs: Sequence[Run]) -> bool:
    """Whether names are letters as formulas have them, U, V or H, T, and not a, b, c or f, g, h, which count."""
    names = ["".join(run[0].module).lower() for run in runs]
    alone = all(len(name) == 1 and name.isalpha() for name in names)
    return alone and not any(
        "".join(names) == "".join(chr(ord(first) + k) for k in range(len(names))) for first in "af"
    )


def _chains(layers: Sequence[Layer]) -> bool:
    """Whether shapes allow this order; torch's weights are [out, in]."""
    found = ways(layers)
    return "out_in" in found if all(layer.kind == "weight" for layer in layers) else bool(found)


def _before(first: int, second: int) -> bool:
    """Whether a first layer comes later, or a last one earlier, than it may."""
    return (first == _LAST and second != _LAST) or (second == _FIRST and first != _FIRST)


def _possible(runs: Sequence[Run]) -> Iterator[list[Layer]]:
    for order in itertools.permutations(runs):
        ranks = [_rank(run) for run in order]
        known = [rank for rank in ranks if rank != _MIDDLE]
        if known != sorted(known) or any(_before(a, b) for a, b in itertools.combinations(ranks, 2)):
            continue
        flat = list(itertools.chain(*order))
        if _chains(flat):
            yield flat


def _runs(layers: Sequence[Layer], depth: int, ordered: bool, where: _Where) -> list[Run]:
    """Runs of layers whose order is known; the order among the runs is not."""
    children: dict[str, list[Layer]] = {}
    for layer in layers:
        children.setdefault(layer.module[depth] if len(layer.module) > depth else "", []).append(layer)
    if len(children) == 1:
        ((name, inside),) = children.items()
        if name == "" and all(len(layer.module) <= depth for layer in inside):
            return [list(inside)]
        _check_block(name, inside, where)
        return _runs(inside, depth + 1, ordered, where)
    families: dict[str, list[str]] = {}
    for name in children:
        families.setdefault(re.sub(r"_?\d+", "", name), []).append(name)
    _check_side_by_side(children, where)
    runs: list[Run] = []
    for word, names in families.items():
        in_file, names = names, sorted(names, key=_natural)
        if ordered and names != in_file and len(families) > 1:
            shown = [children[name][:1] for name in in_file]
            raise _unclear(shown, where, "numbers that go another way than the file, beside other names")
        if word and not (ordered and names == in_file) and _split_numbers(names):
            raise _unclear([children[name][:1] for name in in_file], where, "numbers as 21 and 22 in the place of 2")
        _check_room(word, names, children, where)
        inner = [_runs(children[name], depth + 1, ordered, where) for name in names]
        if all(len(each) == 1 for each in inner):
            runs.append([layer for each in inner for layer in each[0]])
        else:
            runs += [run for each in inner for run in each]
    return runs


def _split_numbers(names: Sequence[str]) -> bool:
    """Whether several numbers stand where one digit is missing: fc1, fc21, fc22, fc3."""
    numbers = [number for name in names for number in _natural(name)[-1:]]
    several = Counter(number // 10 for number in numbers if 10 <= number < 100)
    return any(count > 1 and ten not in numbers and {ten - 1, ten + 1} & {*numbers} for ten, count in several.items())


def _natural(name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", name))


def _check_room(word: str, names: Sequence[str], children: dict[str, list[Layer]], where: _Where) -> None:
    """Numbers of a Sequential leave room for activations between all layers, or between none."""
    if word or any(len(children[name]) > 1 for name in names):
        return
    gaps = [int(after) - int(before) for before, after in itertools.pairwise(names)]
    if 1 in gaps and max(gaps) > 1:
        at = gaps.index(1)
        before, after = children[names[at]][0], children[names[at + 1]][0]
        raise CheckpointError(
            "layers without an activation between them", where=f"'{before.name}' and '{after.name}'",
            expected="numbers with room for an activation, as between the others",
            hint=f"if there is one, say {where.roles}",
        )  # fmt: skip


def _check_side_by_side(children: dict[str, list[Layer]], where: _Where) -> None:
    """Two parts of several layers each: one after the other, side by side, or blocks with skip connections."""
    deep = {name: inside for name, inside in children.items() if len(inside) > 1}
    for name, inside in deep.items():
        _check_block(name, inside, where)
    for (first, one), (second, other) in itertools.combinations(deep.items(), 2):
        same_word = re.sub(r"_?\d+", "", first) == re.sub(r"_?\d+", "", second)
        alike = [layer.weight.shape for layer in one] == [layer.weight.shape for layer in other]
        known = first.lower() in _RANK and second.lower() in _RANK and _RANK[first.lower()] != _RANK[second.lower()]
        square = all(_ends(inside)[0] == _ends(inside)[1] for inside in (one, other))
        if (same_word and (alike or square)) or not (same_word or known):
            key = key_of([layer.name for layer in one], [layer.name for layer in other], where.under)
            raise CheckpointError(
                "parts that may stand side by side, or add to what they read",
                where=f"'{first}' ({len(one)} layers, from '{one[0].name}') and '{second}' ({len(other)} layers)",
                expected="one chain of layers",
                hint=f"choose one with {key_hint(key)}; if they follow each other say {where.roles}",
            )  # fmt: skip


def _check_block(name: str, inside: Sequence[Layer], where: _Where) -> None:
    """A block that gives as many numbers as it takes may add to them."""
    words = re.search(r"(^|_)(blocks?|resblock|unit|stages?)(_|\d|$)", name.lower())
    if (
        words
        and len(inside) > 1
        and len({layer.module for layer in inside}) > 1
        and _ends(inside)[0] == _ends(inside)[1]
    ):
        raise CheckpointError(
            "a block that may have a skip connection", expected="one chain of layers",
            where=f"'{name}' ({len(inside)} layers, from '{inside[0].name}')",
            hint=f"if it has none, say {where.roles}",
        )  # fmt: skip


def _ends(inside: Sequence[Layer]) -> tuple[int, int]:
    return inside[0].weight.shape[1], inside[-1].weight.shape[0]


def _rank(run: Run) -> int:
    names = [piece.lower() for piece in run[0].module[:2]]
    return next((_RANK[name] for name in names if name in _RANK), _MIDDLE)


def _numbers(layer: Layer) -> tuple[int, ...]:
    return _natural(".".join(layer.module))


def _every(layers: Sequence[Layer]) -> str:
    """How to say the order: the role of every weight."""
    if len(layers) > _SHOWN:
        return "roles={'NAME': 'weight', ...} of every weight, first to last (--role NAME=weight, once for each)"
    given = {layer.name: "kernel" if layer.kind == "kernel" else "weight" for layer in layers}
    return f"{roles_hint(given)}, put first to last"


def _said(layers: Sequence[Layer]) -> str:
    names = [f"'{layer.name}'" for layer in layers]
    return ", ".join(names if len(names) <= 8 else [*names[:4], "...", *names[-2:]])


def _unclear(runs: Sequence[Run], where: _Where, why: str) -> CheckpointError:
    return CheckpointError(
        "layers whose order is not known", where=_said([run[0] for run in runs]), expected="names with numbers",
        got=why, hint=f"say {where.roles}",
    )  # fmt: skip
