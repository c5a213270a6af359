"""Whether the modules are those of the task's known decomposition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bimt_train.expressions import KnownParts

from ..modules import Module


@dataclass(frozen=True)
class BuiltAs:
    """Whether the modules are the task's own: at which level of its known hierarchy, or None."""

    level: str | None

    @property
    def as_built(self) -> bool:
        """Whether there is such a level."""
        return self.level is not None


def built_as(modules: Sequence[Module], parts: KnownParts | None) -> BuiltAs | None:
    """Hold the modules' inputs and outputs against the known parts: the flat grouping first, then finer levels.

    Groups without an input or output, and known groups without an output (inputs that nothing uses), do not count.

    Returns:
        None where no parts are known.
    """
    if parts is None:
        return None
    found = {(frozenset(m.inputs), frozenset(m.outputs)) for m in modules if m.inputs or m.outputs}
    if found == {(inputs, outputs) for inputs, outputs in parts.modules() if outputs}:
        return BuiltAs("flat")
    levels = parts.hierarchy()
    for height in range(len(levels), 0, -1):
        if found == _ends(levels[height - 1], parts):
            return BuiltAs(f"parts of height {height}")
    return BuiltAs(None)


def _ends(level: Iterable[frozenset[str]], parts: KnownParts) -> set[tuple[frozenset[str], frozenset[str]]]:
    """A level's groups, inputs and outputs only; what nothing uses is left out."""
    used = frozenset().union(*parts.dependencies().values())
    groups = ((group & frozenset(parts.inputs) & used, group & frozenset(parts.outputs)) for group in level)
    return {(inputs, outputs) for inputs, outputs in groups if inputs or outputs}


def modules_line(modules: Sequence[Module], built: BuiltAs | None) -> str:
    """The modules in one line, with the verdict where the task's parts are known."""
    count = f"{len(modules)} module{'' if len(modules) == 1 else 's'}"
    verdict = ""
    if built is not None and built.level == "flat":
        verdict = ", as the task is built"
    elif built is not None:
        verdict = f", as the task is built ({built.level})" if built.as_built else ", not as the task is built"
    return f"{count}{verdict}: {'  '.join(map(str, modules)) or 'no edges are left'}"
