"""Five stages, each of which sends on half of what it got and the result of its own, made by the same two functions."""

from ..checkpoints._task_spec import TaskSpec
from ..expressions._decomposition import Decomposition
from ._formula_task import UNIT, FormulaSampler
from ._task import Task, mlp
from ._tasks import TASKS

STAGES = 5


@TASKS.register(
    "pipeline", label="pipeline", sentence="Five stages that use the same functions, each adding to the one before."
)
def pipeline(*, rows: tuple[int, int] = (300, 300), widths: tuple[int, ...] = (10, 25, 25, 5)) -> Task:
    """Five stages that use the same functions, each adding to the one before.

    Parameters
    ----------
    rows : (int, int)
        Numbers of training and test points.
    widths : tuple of int
        Neurons of each layer, inputs and outputs included.

    Returns
    -------
    Task
        The task, with its decomposition.

    Notes
    -----
    Stage k reads two inputs, a wave ``w_k = sin(pi*x_(2k-1))`` and a gate x_2k, and what the stage before gives:
    ``y_k = y_(k-1)/2 + w_k x_2k``, with y_0 = 0. Points are uniform in [-1, 1].

    Examples
    --------
    >>> dict(pipeline().spec.decomposition.definitions)["y2"]
    'y1/2 + m2'
    """
    inputs = tuple(f"x{i}" for i in range(1, 2 * STAGES + 1))
    definitions: list[tuple[str, str]] = []
    for k in range(1, STAGES + 1):
        definitions += [(f"w{k}", f"sin(pi*x{2 * k - 1})"), (f"m{k}", f"w{k}*x{2 * k}")]
        definitions.append((f"y{k}", f"y{k - 1}/2 + m{k}" if k > 1 else "m1"))
    outputs = tuple(f"y{k}" for k in range(1, STAGES + 1))
    decomposition = Decomposition(inputs, outputs, tuple(definitions))
    ranges = (UNIT,) * len(inputs)
    spec = TaskSpec("pipeline", inputs, outputs, ranges, decomposition=decomposition)
    return Task(spec, mlp(widths), FormulaSampler(decomposition, ranges, rows))
