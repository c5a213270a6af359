"""From quantities to a tied plan: which of them are the same function up to affine changes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations, product

import numpy as np

from ..audits.functions._affine_copy import AffineMap, affine_copy
from ..audits.functions._module_comparison import MOST_ARGUMENTS
from ..audits.functions._module_outputs import squared_correlation
from ._dense_part import DensePart, Rows
from ._quantities import Quantities
from ._tied_plan import Adapter, TiedPlan

_ROWS = 200  # on which maps are fitted


@dataclass(frozen=True, eq=False)
class Ties:
    """The maps between the quantities of a circuit, each found once.

    Attributes
    ----------
    found : Quantities
        The quantities.
    x : array of float64, shape (rows, inputs)
        Rows as the network sees them.
    seed : int
        Of the search for maps.
    """

    found: Quantities
    x: Rows
    seed: int
    _maps: dict[tuple[int, int], AffineMap] = field(default_factory=dict)

    def plan(self, alike: float) -> TiedPlan:
        """Quantities that are the same function up to affine changes become uses of one module.

        The largest part of each family is the module, as it can do what the smaller ones can.

        Parameters
        ----------
        alike : float
            r2 of the map from which on a function counts as the same.
        """
        curved, first = self.found.curved, self.found.inputs
        chosen: dict[int, tuple[int, AffineMap]] = {}
        heads = list[int]()
        for number in sorted(range(len(curved)), key=lambda k: (-curved[k].part.numbers(), k)):
            maps = {head: self._map(head, number) for head in heads if self._comparable(head, number)}
            best = max(maps, key=lambda head: maps[head].r2, default=None)
            if best is None or maps[best].r2 < alike:
                heads.append(number)
                width = curved[number].part.arguments
                ones, none = (1.0,) * width, (0.0,) * width
                chosen[number] = number, AffineMap(tuple(range(width)), ones, none, 1.0, 0.0, r2=1.0)
            else:
                chosen[number] = best, maps[best]
        heads = sorted(heads)
        uses = list[tuple[int, Adapter]]()
        scale, shift = np.ones(first), np.zeros(first)  # of each source, of what stands for it now
        for number, one in enumerate(curved):
            head, how = chosen[number]
            order, scales, shifts = list(how.sources), np.array(how.scales), np.array(how.shifts)
            sources = one.read.shape[1]
            read, moved = one.read * scale[:sources], one.read @ shift[:sources]
            adapter = Adapter.of(scales[:, None] * read[order], scales * moved[order] + shifts)
            uses.append((heads.index(head), adapter))
            scale, shift = np.append(scale, how.output_scale), np.append(shift, how.output_shift)
        out = Adapter.of(self.found.reading * scale, self.found.offset + self.found.reading @ shift)
        modules: tuple[DensePart, ...] = tuple(curved[head].part for head in heads)
        return TiedPlan(first, modules, tuple(uses), out).in_unit()

    def _comparable(self, head: int, number: int) -> bool:
        width, other = (self.found.curved[k].part.arguments for k in (head, number))
        return width == other <= MOST_ARGUMENTS

    def _map(self, head: int, number: int) -> AffineMap:
        if (head, number) not in self._maps:
            some = np.linspace(0, len(self.x) - 1, min(len(self.x), _ROWS)).astype(np.int64)
            values, curved = self.found.sources(self.x[some]), self.found.curved
            seen, points = (values[:, : curved[k].read.shape[1]] @ curved[k].read.T for k in (head, number))
            part, own = curved[head].part, values[:, self.found.inputs + number]

            def function(z: Rows) -> np.ndarray:
                return np.asarray(part(z)[:, 0])

            alone = points.shape[1] == 1
            near = (
                affine_copy(function, seen, points, own, seed=self.seed)
                if alone
                else _whole(function, seen, points, own)
            )
            self._maps[head, number] = near
        return self._maps[head, number]


def _whole(function: Callable[[Rows], np.ndarray], seen: Rows, points: Rows, values: np.ndarray) -> AffineMap:
    """The nearest map of whole ranges to whole ranges, arguments kept or turned around, in any order."""
    middles, ours = (rows.min(axis=0) + np.ptp(rows, axis=0) / 2 for rows in (seen, points))
    halves, own = np.ptp(seen, axis=0) / 2, np.ptp(points, axis=0) / 2
    best: AffineMap | None = None
    for order in permutations(range(points.shape[1])):
        places = list(order)
        for signs in product((1.0, -1.0), repeat=len(places)):
            scales = np.array(signs) * halves / own[places]
            shifts = middles - scales * ours[places]
            said = function(points[:, places] * scales + shifts)
            r2 = squared_correlation(said, values)
            if best is None or r2 > best.r2:
                slope = float(np.cov(said, values)[0, 1] / max(said.var(ddof=1), 1e-300))
                offset = float(values.mean() - slope * said.mean())
                best = AffineMap(order, tuple(scales.tolist()), tuple(shifts.tolist()), slope, offset, r2)
    assert best is not None
    return best
