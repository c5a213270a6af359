"""Evidence over time: sums that build up along a sequence, and questions that share them."""

from .._errors import TaskError
from ..checkpoints._task_spec import TaskCard
from ..expressions._decomposition import KnownParts
from ..models._model_spec import ModelSpec
from ._formula_task import UNIT, FormulaSampler, Range
from ._task import Task

CHANNELS = ("a", "b", "c", "d")
QUESTIONS = (("y1", "m_a + m_b"), ("y2", "m_b - m_c"), ("y3", "m_d"))


def evidence(*, steps: int = 5, state: int = 64, rows: tuple[int, int] = (1000, 1000), points: Range = UNIT) -> Task:
    """How much evidence has come in, whatever its sign: in all, in comparison, and by itself.

    At each step a number comes in on every channel a, b, c, d. With m_a = abs(a1 + ... + aT), and so for the others,
    y1 = m_a + m_b, y2 = m_b - m_c and y3 = m_d: the first two questions share a part, the third has nothing to do with
    them. Questions made of common sub-tasks are those of "Growing Brains" (arXiv 2310.07711), in which a recurrent net
    learns cognitive tasks of memory, comparison and decision; ours are few and can be written down, so that what is
    found can be held against what is known.

    A small circuit is known too: a pair of neurons that excite themselves and inhibit each other, as in models of
    decisions, keeps the positive and the negative part of a sum, p = relu(p - q + a) and q = relu(q - p - a), and
    m_a = p + q.

    Args:
        steps: of a sequence; columns are a1, b1, c1, d1, a2, ...
        state: neurons of the net.
        rows: of training and test.
        points: the range of the numbers that come in, uniform.

    Raises:
        TaskError: no steps.
    """
    if steps < 1:
        raise TaskError("a sequence without steps", where="steps", expected="1 or more", got=str(steps))
    sums = [(f"s_{c}", " + ".join(f"{c}{t}" for t in range(1, steps + 1))) for c in CHANNELS]
    sizes = [(f"m_{c}", f"abs(s_{c})") for c in CHANNELS]
    inputs = tuple(f"{c}{t}" for t in range(1, steps + 1) for c in CHANNELS)
    parts = KnownParts(inputs, tuple(name for name, _ in QUESTIONS), (*sums, *sizes, *QUESTIONS))
    ranges = (points,) * len(inputs)
    card = TaskCard("evidence", parts.inputs, parts.outputs, ranges, parts=parts)
    options = {"channels": len(CHANNELS), "steps": steps, "state": state, "outputs": len(QUESTIONS)}
    return Task(card, ModelSpec("rnn", options | {"activation": "relu"}), FormulaSampler(parts, ranges, rows))
