"""A tied network as numbers: few modules, many uses of them, and which of the numbers are free."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Bool, Float64

from ._dense_part import DensePart, Rows


@dataclass(frozen=True, eq=False)
class Adapter:
    """A weighted sum of sources with an offset, in which some numbers are as they must be: 0 and 1.

    Attributes
    ----------
    weight : array of float64, shape (sums, sources)
        The weights.
    shift : array of float64, shape (sums,)
        The offsets.
    free : array of bool, shape (sums, sources)
        The weights that are trained. Others are 0 or 1.
    free_shift : array of bool, shape (sums,)
        The offsets that are trained. Others are 0.
    """

    weight: Float64[np.ndarray, "sums sources"]
    shift: Float64[np.ndarray, " sums"]
    free: Bool[np.ndarray, "sums sources"]
    free_shift: Bool[np.ndarray, " sums"]

    @classmethod
    def of(cls, weight: Float64[np.ndarray, "sums sources"], shift: Float64[np.ndarray, " sums"]) -> Self:
        """An adapter of which every number of ``weight`` and ``shift`` is free but the zeros among the weights."""
        return cls(weight, shift, weight != 0, np.ones(len(shift), bool))

    @property
    def numbers(self) -> int:
        """How many are free."""
        return int(self.free.sum() + self.free_shift.sum())

    @property
    def wires(self) -> int:
        """How many there are: weights that are not 0, and offsets."""
        return int(np.count_nonzero(self.weight)) + len(self.shift)


@dataclass(frozen=True, eq=False)
class TiedPlan:
    """Modules, and the uses of them one after the other.

    Use k gives ``module(A_k s + a_k)``, where s is the inputs and what the uses before it give. Outputs are
    ``B s + b``.

    Attributes
    ----------
    inputs : int
        How many numbers it reads.
    modules : tuple of DensePart
        Each gives one number.
    uses : tuple of (int, Adapter)
        The number of the module, and how its arguments are made of sources.
    out : Adapter
        How outputs are made of sources.
    """

    inputs: int
    modules: tuple[DensePart, ...]
    uses: tuple[tuple[int, Adapter], ...]
    out: Adapter

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """The adapters of the uses, then that of the outputs."""
        return (*(adapter for _, adapter in self.uses), self.out)

    @property
    def numbers(self) -> int:
        """Free numbers: weights and biases of the modules that are not 0, and free numbers of the adapters."""
        return sum(part.numbers() for part in self.modules) + sum(one.numbers for one in self.adapters)

    @property
    def untied(self) -> int:
        """What the numbers would be if each use had a module of its own."""
        return sum(self.modules[k].numbers() for k, _ in self.uses) + sum(one.numbers for one in self.adapters)

    @property
    def wired(self) -> int:
        """Numbers with every adapter counted in full, those of 1 and 0 too."""
        return sum(part.numbers() for part in self.modules) + sum(one.wires for one in self.adapters)

    def vector(self) -> Float64[np.ndarray, " numbers"]:
        """All free numbers in a row: module by module, then adapter by adapter."""
        parts = [a[a != 0] for part in self.modules for layer in part.layers for a in layer]
        parts += [a for one in self.adapters for a in (one.weight[one.free], one.shift[one.free_shift])]
        return np.concatenate([np.ravel(a) for a in parts])

    def with_vector(self, numbers: Float64[np.ndarray, " numbers"]) -> "TiedPlan":
        """The plan with other free numbers.

        Parameters
        ----------
        numbers : array of float64, shape (numbers,)
            As `vector` gives them.
        """
        at = 0

        def taken(array: np.ndarray, free: np.ndarray) -> np.ndarray:
            nonlocal at
            filled, count = array.copy(), int(free.sum())
            filled[free] = numbers[at : at + count]
            at += count
            return filled

        modules = tuple(
            replace(part, layers=tuple((taken(w, w != 0), taken(b, b != 0)) for w, b in part.layers))
            for part in self.modules
        )
        *own, out = (
            replace(one, weight=taken(one.weight, one.free), shift=taken(one.shift, one.free_shift))
            for one in self.adapters
        )
        uses = tuple((module, one) for (module, _), one in zip(self.uses, own, strict=True))
        return TiedPlan(self.inputs, modules, uses, out)

    def sources(self, x: Rows) -> Rows:
        """Inputs, and what the uses give.

        Parameters
        ----------
        x : array of float64, shape (rows, inputs)
            The rows.
        """
        for module, one in self.uses:
            arguments = x[:, : one.weight.shape[1]] @ one.weight.T + one.shift
            x = np.concatenate([x, self.modules[module](arguments)], axis=1)
        return x

    def predict(self, x: Rows) -> Rows:
        """Outputs.

        Parameters
        ----------
        x : array of float64, shape (rows, inputs)
            The rows.
        """
        return np.asarray(self.sources(x) @ self.out.weight.T + self.out.shift)

    def in_unit(self) -> "TiedPlan":
        """A plan of the same function, each module scaled so that most of what reads it does so with a weight of 1."""
        adapters, modules, first = list(self.adapters), list(self.modules), self.inputs
        for number, part in enumerate(modules):
            places = [first + k for k, (module, _) in enumerate(self.uses) if module == number]
            read = np.concatenate([one.weight[:, j] for one in adapters for j in places if j < one.weight.shape[1]])
            read = read[read != 0]
            kept = [one.weight[:, j][~one.free[:, j]] for one in adapters for j in places if j < one.weight.shape[1]]
            if not len(read) or any(part.any() for part in kept):  # a weight that is 1 for good gives the unit
                continue
            far = [np.median(np.abs(read / scale - 1)) for scale in read]
            scale = float(read[int(np.argmin(far))])
            weight, bias = part.layers[-1]
            modules[number] = replace(part, layers=(*part.layers[:-1], (weight * scale, bias * scale)))
            for at, one in enumerate(adapters):
                columns = [j for j in places if j < one.weight.shape[1]]
                changed = one.weight.copy()
                changed[:, columns] /= scale
                adapters[at] = replace(one, weight=changed)
        *own, out = adapters
        uses = tuple((module, one) for (module, _), one in zip(self.uses, own, strict=True))
        return TiedPlan(self.inputs, tuple(modules), uses, out)

    def without_idle(self) -> "TiedPlan":
        """The plan without uses that read nothing or that nothing reads, and without modules that are then not used.

        What reads nothing gives a constant, which is added to the offsets of whoever reads it.
        """
        plan = self
        while (idle := plan._idle()) is not None:
            module, one = plan.uses[idle]
            value = float(plan.modules[module](one.shift[None])[0, 0])
            *own, out = (plan._not_reading(adapter, plan.inputs + idle, value) for adapter in plan.adapters)
            uses = tuple((k, adapter) for (k, _), adapter in zip(plan.uses, own, strict=True))
            plan = replace(plan, uses=uses[:idle] + uses[idle + 1 :], out=out)
        used = sorted({module for module, _ in plan.uses})
        uses = tuple((used.index(module), one) for module, one in plan.uses)
        return replace(plan, modules=tuple(plan.modules[k] for k in used), uses=uses)

    def _idle(self) -> int | None:
        """The first use that reads nothing, or that nothing reads."""
        for number, (_, one) in enumerate(self.uses):
            at = self.inputs + number
            if not one.weight.any() or not any(other.weight[:, at : at + 1].any() for other in self.adapters):
                return number
        return None

    @staticmethod
    def _not_reading(one: Adapter, source: int, value: float) -> Adapter:
        """An adapter without a source, which was a constant or not read."""
        if source >= one.weight.shape[1]:
            return one
        read = one.weight[:, source]
        weight, free = (np.delete(array, source, axis=1) for array in (one.weight, one.free))
        return Adapter(weight, one.shift + value * read, free, one.free_shift | (read != 0))

    def distances(self) -> list[tuple[float, int, int]]:
        """How far each free number of an adapter is from what costs nothing, with the adapter and its place there."""
        found = []
        for at, one in enumerate(self.adapters):
            for place in np.flatnonzero(one.free.ravel()).tolist():
                value = float(one.weight.ravel()[place])
                found.append((min(abs(value), abs(abs(value) - 1)), at, place))
            found += [
                (abs(float(one.shift[k])), at, one.weight.size + k) for k in np.flatnonzero(one.free_shift).tolist()
            ]
        return sorted(found)

    def snapped(self, which: Sequence[tuple[float, int, int]]) -> "TiedPlan":
        """Some numbers of adapters put to what costs nothing: weights to 0, 1 or, turned around, 1; offsets to 0.

        Parameters
        ----------
        which : sequence of (distance, adapter, place)
            As `distances` gives them.
        """
        adapters = list(self.adapters)
        for _, at, place in which:
            one = adapters[at]
            size = one.weight.size
            if place < size:
                weight, free = one.weight.copy(), one.free.copy()
                value = weight.ravel()[place]
                weight.ravel()[place], free.ravel()[place] = float(abs(value) > 0.5), False
                adapters[at] = replace(one, weight=weight, free=free)
            else:
                shift, free = one.shift.copy(), one.free_shift.copy()
                shift[place - size], free[place - size] = 0.0, False
                adapters[at] = replace(one, shift=shift, free_shift=free)
        *own, out = adapters
        uses = tuple((module, one) for (module, _), one in zip(self.uses, own, strict=True))
        return TiedPlan(self.inputs, self.modules, uses, out)
