"""Evidence over time: sums that build up along a sequence, and questions that share them."""

from .._errors import TaskError
from ..checkpoints._task_spec import TaskSpec
from ..expressions._decomposition import Decomposition
from ..models._model_spec import ModelSpec
from ._formula_task import UNIT, FormulaSampler, Range
from ._task import Task
from ._tasks import TASKS

CHANNELS = ("a", "b", "c", "d")
QUESTIONS = (("y1", "m_a + m_b"), ("y2", "m_b - m_c"), ("y3", "m_d"))


@TASKS.register(
    "evidence",
    label="evidence accumulation",
    sentence="Sums over time on four channels, and three questions that share them.",
    seconds=17,
)
def evidence(*, steps: int = 5, state: int = 64, rows: tuple[int, int] = (1000, 1000), points: Range = UNIT) -> Task:
    """How much evidence has come in on four channels, whatever its sign: in all, in comparison, and by itself.

    At each step a number comes in on every channel a, b, c, d. Three questions are asked at the end. The first two
    share a part, the third has nothing to do with them. Questions made of common sub-tasks are those of
    "Growing Brains", in which a recurrent net learns cognitive tasks of memory, comparison and decision. The questions
    here are few and can be written down, so that what is found can be held against what is known.

    Parameters
    ----------
    steps : int
        Length of a sequence; columns are a1, b1, c1, d1, a2, ...
    state : int
        Neurons of the recurrent net.
    rows : (int, int)
        Numbers of training and test sequences.
    points : (float, float)
        The range of the numbers that come in, uniform.

    Returns
    -------
    Task
        The task, with its decomposition.

    Raises
    ------
    TaskError
        ``steps`` is below 1.

    Notes
    -----
    With m_a = abs(a1 + ... + aT), and so for the others, ``y1 = m_a + m_b``, ``y2 = m_b - m_c`` and ``y3 = m_d``.

    A small circuit is known. As in models of decisions, a pair of neurons that excite themselves and inhibit each other
    keeps the positive and the negative part of a sum: p = relu(p - q + a) and q = relu(q - p - a), and m_a = p + q.

    References
    ----------
    Liu, Khona, Fiete and Tegmark, "Growing Brains: Co-emergence of Anatomical and Functional Modularity in Recurrent
    Neural Networks", arXiv 2310.07711.

    Examples
    --------
    >>> evidence(steps=1).spec.inputs
    ('a1', 'b1', 'c1', 'd1')
    """
    if steps < 1:
        raise TaskError("a sequence without steps", where="steps", expected="1 or more", got=str(steps))
    sums = [(f"s_{c}", " + ".join(f"{c}{t}" for t in range(1, steps + 1))) for c in CHANNELS]
    sizes = [(f"m_{c}", f"abs(s_{c})") for c in CHANNELS]
    inputs = tuple(f"{c}{t}" for t in range(1, steps + 1) for c in CHANNELS)
    decomposition = Decomposition(inputs, tuple(name for name, _ in QUESTIONS), (*sums, *sizes, *QUESTIONS))
    ranges = (points,) * len(inputs)
    spec = TaskSpec("evidence", decomposition.inputs, decomposition.outputs, ranges, decomposition=decomposition)
    options = {"channels": len(CHANNELS), "steps": steps, "state": state, "outputs": len(QUESTIONS)}
    return Task(spec, ModelSpec("rnn", options | {"activation": "relu"}), FormulaSampler(decomposition, ranges, rows))
