"""Whether the modules are those of the task's known decomposition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bimt_train.expressions import Decomposition
from bimt_train.showing import Shown

from ..modules import Module


@dataclass(frozen=True, repr=False)
class DecompositionMatch(Shown):
    """Whether the modules match the task's known decomposition.

    Attributes
    ----------
    level : str or None
        The level of the known hierarchy that the modules match; None where they match none.

    Examples
    --------
    >>> DecompositionMatch("flat").matches
    True
    """

    level: str | None

    @property
    def matches(self) -> bool:
        """Whether there is such a level."""
        return self.level is not None


def matches_decomposition(modules: Sequence[Module], decomposition: Decomposition | None) -> DecompositionMatch | None:
    """Compare the modules' inputs and outputs with a decomposition: the flat grouping first, then finer levels.

    Groups without an input or output, and known groups without an output (inputs that nothing uses), do not count.

    Parameters
    ----------
    modules : sequence of Module
        The modules by names.
    decomposition : Decomposition or None
        What is known of the task.

    Returns
    -------
    DecompositionMatch or None
        The level that matches; None where no decomposition is known.

    Examples
    --------
    >>> from bimt_analyze.modules import Module
    >>> from bimt_train.expressions import Decomposition
    >>> known = Decomposition(("x1", "x2"), ("y1", "y2"), (("y1", "x1**2"), ("y2", "sin(x2)")))
    >>> found = [Module(("x1",), ("y1",), ()), Module(("x2",), ("y2",), ())]
    >>> matches_decomposition(found, known).level
    'flat'
    """
    if decomposition is None:
        return None
    found = {(frozenset(m.inputs), frozenset(m.outputs)) for m in modules if m.inputs or m.outputs}
    if found == {(inputs, outputs) for inputs, outputs in decomposition.modules() if outputs}:
        return DecompositionMatch("flat")
    levels = decomposition.hierarchy()
    for height in range(len(levels), 0, -1):
        if found == _ends(levels[height - 1], decomposition):
            return DecompositionMatch(f"subfunctions of height {height}")
    return DecompositionMatch(None)


def _ends(level: Iterable[frozenset[str]], decomposition: Decomposition) -> set[tuple[frozenset[str], frozenset[str]]]:
    """A level's groups, inputs and outputs only; what nothing uses is left out."""
    used = frozenset().union(*decomposition.dependencies().values())
    groups = (
        (group & frozenset(decomposition.inputs) & used, group & frozenset(decomposition.outputs)) for group in level
    )
    return {(inputs, outputs) for inputs, outputs in groups if inputs or outputs}


def modules_line(modules: Sequence[Module], match: DecompositionMatch | None) -> str:
    """The modules in one line, with the verdict where a decomposition is known.

    Parameters
    ----------
    modules : sequence of Module
        The modules by names.
    match : DecompositionMatch or None
        Whether they match the decomposition.

    Returns
    -------
    str
        For instance ``2 modules, matching the decomposition: {x1 -> y1}  {x2 -> y2}``.
    """
    count = f"{len(modules)} module{'' if len(modules) == 1 else 's'}"
    verdict = ""
    if match is not None and match.level == "flat":
        verdict = ", matching the decomposition"
    elif match is not None:
        verdict = (
            f", matching the decomposition ({match.level})" if match.matches else ", not matching the decomposition"
        )
    return f"{count}{verdict}: {'  '.join(map(str, modules)) or 'no edges are left'}"
