"""What a language model says."""

import numpy as np
from scipy.special import softmax

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint
from bimt_train.tasks import characters


def continuation(
    checkpoint: Checkpoint, text: str, *, length: int = 200, temperature: float = 1.0, seed: int = 0
) -> str:
    """The text, and so many characters more, each drawn from ``softmax(logits / temperature)`` behind those before.

    Args:
        checkpoint: of the task `language`.
        text: how it begins; only the last characters, as many as the context holds, are read.
        length: characters to add.
        temperature: below 1 the likely become likelier.
        seed: of the draws.

    Raises:
        TaskError: a checkpoint of another task.
        InputError: no text, or a character that the vocabulary does not have.
    """
    known, context = characters(checkpoint.card), len(checkpoint.card.inputs)
    strange = sorted(set(text) - set(known))
    if strange or not text:
        got = f"{strange[0]!r}" if strange else "nothing"
        raise InputError("a text that cannot be gone on with", expected="characters that were trained on", got=got)
    generator, tokens = np.random.default_rng(seed), [known.index(character) for character in text]
    for _ in range(length):
        logits = checkpoint.network.predict(np.array([tokens[-context:]], dtype=np.float64))[0, -1]
        tokens.append(int(generator.choice(len(known), p=softmax(logits / temperature))))
    return "".join(known[token] for token in tokens)
