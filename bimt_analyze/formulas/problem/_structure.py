"""Hints for the search of one formula: which inputs count, what is only added, what enters as a weighted sum."""

from dataclasses import dataclass

from bimt_train import InputError


@dataclass(frozen=True)
class Ridge:
    """A weighted sum u = direction . inputs that first-layer neurons read; its largest entry is 1."""

    inputs: tuple[str, ...]
    direction: tuple[float, ...]


@dataclass(frozen=True)
class Combination:
    """Two inputs that may count only as h(first) + c h(second); ``kind`` names h as `Evidence` does."""

    inputs: tuple[str, str]
    kind: str
    coefficient: float


@dataclass(frozen=True)
class Structure:
    """Hints for one output. They propose and never prove: a search may find every one of them wrong.

    ``inputs``: the names that reach the output. ``terms``: groups of inputs whose paths meet only in the output's
    own sum, largest first. ``ridges``: weighted sums of two or more inputs, the heaviest first. ``combinations``: of
    two inputs, the best-evidenced first.
    """

    inputs: tuple[str, ...]
    terms: tuple[frozenset[str], ...] = ()
    ridges: tuple[Ridge, ...] = ()
    combinations: tuple[Combination, ...] = ()

    def __post_init__(self) -> None:
        pairs = {name for one in self.combinations for name in one.inputs}
        named = pairs.union(*self.terms, *(ridge.inputs for ridge in self.ridges))
        strange = named - set(self.inputs)
        if strange:
            raise InputError(
                "hints name inputs that do not reach the output",
                where="Structure",
                expected=f"names among {sorted(self.inputs)}",
                got=str(sorted(strange)),
                mend="list them in inputs too, or leave them out",
            )
