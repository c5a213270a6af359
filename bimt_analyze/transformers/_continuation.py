"""Text that a language model writes."""

import numpy as np
from scipy.special import softmax

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint
from bimt_train.tasks import characters


def continuation(
    checkpoint: Checkpoint, text: str, *, length: int = 200, temperature: float = 1.0, seed: int = 0
) -> str:
    """Continue a text, each character drawn from ``softmax(logits / temperature)`` given those before.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of the task `language`.
    text : str
        How the text begins; only the last characters, as many as the context holds, are read.
    length : int, default 200
        Number of characters to add.
    temperature : float, default 1.0
        Above 0; below 1 likely characters become likelier.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    str
        The text and what was added.

    Raises
    ------
    TaskError
        The checkpoint is of another task.
    InputError
        There is no text, or a character is not in the vocabulary.

    Examples
    --------
    >>> from bimt_analyze.transformers import continuation
    >>> import numpy as np
    >>> from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
    >>> from bimt_train.models import GPT
    >>> tokens = ("t1", "t2")
    >>> task = TaskSpec("language", tokens, ("a", "b"), ((0, 1),) * 2, loss="next-token", output_labels=("a", "b"))
    >>> x = np.zeros((2, 2))
    >>> model = Checkpoint(Network.of(GPT(2, 2, 4, heads=1, layers=1, hidden=4)), task, Probe(x, x, x, x), {"seed": 0})
    >>> len(continuation(model, "ab", length=10))
    12
    """
    known, context = characters(checkpoint.task), len(checkpoint.task.inputs)
    strange = sorted(set(text) - set(known))
    if strange or not text:
        got = f"{strange[0]!r}" if strange else "nothing"
        raise InputError("a text that cannot be gone on with", expected="characters that were trained on", got=got)
    generator, tokens = np.random.default_rng(seed), [known.index(character) for character in text]
    for _ in range(length):
        logits = checkpoint.network.predict(np.array([tokens[-context:]], dtype=np.float64))[0, -1]
        tokens.append(int(generator.choice(len(known), p=softmax(logits / temperature))))
    return "".join(known[token] for token in tokens)
