"""The three formula tasks of arXiv 2305.08746, section 3.1, with their known decomposition.

Inputs and outputs are as they are, without units; 100 training and 100 test points, uniform in [-1, 1].
"""

from ..checkpoints._task_spec import TaskSpec
from ..expressions._decomposition import Decomposition
from ._formula_task import UNIT, FormulaSampler
from ._task import Task, mlp
from ._tasks import TASKS


@TASKS.register("independence", label="independence", sentence="Two outputs that share no input.", seconds=0.07)
def independence(*, rows: tuple[int, int] = (100, 100), widths: tuple[int, ...] = (4, 20, 20, 2)) -> Task:
    """Two outputs that share no input.

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
    ``y1 = (x1 + x3)**3`` and ``y2 = x2**2 + sin(pi*x4)``.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.1.

    Examples
    --------
    >>> independence().spec.inputs
    ('x1', 'x2', 'x3', 'x4')
    """
    definitions = (("y1", "(x1 + x3)**3"), ("y2", "x2**2 + sin(pi*x4)"))
    decomposition = Decomposition(("x1", "x2", "x3", "x4"), ("y1", "y2"), definitions)
    return _task("independence", decomposition, rows, widths)


@TASKS.register(
    "feature-sharing",
    label="feature sharing",
    sentence="Three outputs that are sums of the same squares.",
    seconds=0.08,
)
def feature_sharing(*, rows: tuple[int, int] = (100, 100), widths: tuple[int, ...] = (3, 20, 20, 3)) -> Task:
    """Three outputs that are sums of the same squares.

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
    ``y1 = x1**2``, ``y2 = x1**2 + x2**2`` and ``y3 = x1**2 + x2**2 + x3**2``.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.1.

    Examples
    --------
    >>> feature_sharing().widths
    (3, 20, 20, 3)
    """
    squares = tuple((f"sq{i}", f"x{i}**2") for i in (1, 2, 3))
    sums = (("y1", "sq1"), ("y2", "sq1 + sq2"), ("y3", "sq1 + sq2 + sq3"))
    decomposition = Decomposition(("x1", "x2", "x3"), ("y1", "y2", "y3"), squares + sums)
    return _task("feature-sharing", decomposition, rows, widths)


@TASKS.register("composition", label="composition", sentence="A distance, built in two steps.", seconds=0.22)
def composition(*, rows: tuple[int, int] = (100, 100), widths: tuple[int, ...] = (4, 20, 20, 20, 20, 1)) -> Task:
    """A distance, built in two steps.

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
    ``a = (x1 - x2)**2``, ``b = (x3 - x4)**2`` and ``y = sqrt(a + b)``.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.1.

    Examples
    --------
    >>> dict(composition().spec.decomposition.definitions)['y']
    'sqrt(a + b)'
    """
    definitions = (("a", "(x1 - x2)**2"), ("b", "(x3 - x4)**2"), ("y", "sqrt(a + b)"))
    decomposition = Decomposition(("x1", "x2", "x3", "x4"), ("y",), definitions)
    return _task("composition", decomposition, rows, widths)


def _task(name: str, decomposition: Decomposition, rows: tuple[int, int], widths: tuple[int, ...]) -> Task:
    ranges = (UNIT,) * len(decomposition.inputs)
    spec = TaskSpec(name, decomposition.inputs, decomposition.outputs, ranges, decomposition=decomposition)
    return Task(spec, mlp(widths), FormulaSampler(decomposition, ranges, rows))
