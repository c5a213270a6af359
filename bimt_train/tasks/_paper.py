"""The three formula tasks of arXiv 2305.08746, section 3.1, with the parts they are built of.

Inputs and outputs are as they are, without units; 100 training and 100 test points, uniform in [-1, 1].
"""

from ..checkpoints._task_spec import TaskCard
from ..expressions._decomposition import KnownParts
from ._formula_task import UNIT, FormulaSampler
from ._task import Task, mlp


def independence(*, rows: tuple[int, int] = (100, 100), widths: tuple[int, ...] = (4, 20, 20, 2)) -> Task:
    """Two outputs that share nothing: y1 = (x1 + x3)**3 and y2 = x2**2 + sin(pi*x4).

    ``rows`` are the numbers of training and test points.
    """
    definitions = (("y1", "(x1 + x3)**3"), ("y2", "x2**2 + sin(pi*x4)"))
    parts = KnownParts(("x1", "x2", "x3", "x4"), ("y1", "y2"), definitions)
    return _task("independence", parts, rows, widths)


def feature_sharing(*, rows: tuple[int, int] = (100, 100), widths: tuple[int, ...] = (3, 20, 20, 3)) -> Task:
    """Three outputs made of the same squares: y1 = x1**2, y2 = x1**2 + x2**2, y3 = x1**2 + x2**2 + x3**2.

    ``rows`` are the numbers of training and test points.
    """
    squares = tuple((f"sq{i}", f"x{i}**2") for i in (1, 2, 3))
    sums = (("y1", "sq1"), ("y2", "sq1 + sq2"), ("y3", "sq1 + sq2 + sq3"))
    parts = KnownParts(("x1", "x2", "x3"), ("y1", "y2", "y3"), squares + sums)
    return _task("feature-sharing", parts, rows, widths)


def composition(*, rows: tuple[int, int] = (100, 100), widths: tuple[int, ...] = (4, 20, 20, 20, 20, 1)) -> Task:
    """A distance, built in two steps: a = (x1 - x2)**2, b = (x3 - x4)**2, y = sqrt(a + b).

    ``rows`` are the numbers of training and test points.
    """
    definitions = (("a", "(x1 - x2)**2"), ("b", "(x3 - x4)**2"), ("y", "sqrt(a + b)"))
    parts = KnownParts(("x1", "x2", "x3", "x4"), ("y",), definitions)
    return _task("composition", parts, rows, widths)


def _task(name: str, parts: KnownParts, rows: tuple[int, int], widths: tuple[int, ...]) -> Task:
    ranges = (UNIT,) * len(parts.inputs)
    card = TaskCard(name, parts.inputs, parts.outputs, ranges, parts=parts)
    return Task(card, mlp(widths), FormulaSampler(parts, ranges, rows))
