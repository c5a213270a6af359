"""Cyclic groups: the frequency of each module."""

from bimt_train.checkpoints import Checkpoint, Network

from .._class_ablation import ablations
from .._frequencies import frequency_modules
from .._hidden_activations import can_be_followed, module_partition
from .._interpretation import INTERPRETATIONS, Cell, Interpretation
from .._targets_as_products import group_of
from .._token_numbers import TokenNumbers, token_numbers

SHOWN = 4  # tokens by whose order their numbers are told


def applies(checkpoint: Checkpoint, network: Network) -> bool:
    """Whether targets are the products of a cyclic group, and the network reads its tokens through one embedding.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint, with its probe rows.
    network : Network
        Its network or circuit.

    Returns
    -------
    bool
        True where `frequency_modules` can be asked.
    """
    tables = [network.tensors[name] for name, spec in network.layout.tensors.items() if spec.role == "embedding"]
    found = group_of(checkpoint) if len(tables) == 1 else None
    numbers = token_numbers(found) if found is not None else None
    if numbers is None or not 0 <= numbers.tokens.min() <= numbers.tokens.max() < len(tables[0]):
        return False
    return can_be_followed(network, numbers.rows[:2])


@INTERPRETATIONS.register(
    "frequencies",
    label="frequencies of modules",
    sentence="Gives the frequency of each module of a network whose classes are the products of a cyclic group.",
    applies=applies,
)
def module_frequencies(checkpoint: Checkpoint, network: Network) -> Interpretation:
    """Table of the frequency of each module, and what the classes lose without it.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint whose targets are the products of a cyclic group, with probe rows.
    network : Network
        Its network or circuit.

    Returns
    -------
    Interpretation
        One row a module.
    """
    task, probe, group = checkpoint.task, checkpoint.probe, group_of(checkpoint)
    numbers = token_numbers(group) if group is not None else None
    assert group is not None and numbers is not None  # it applies
    modules = module_partition(network).modules
    found = frequency_modules(network, modules, numbers=numbers)
    whole, *each = ablations(network, modules, task.to_network_inputs(probe.x_test), task.one_hot(probe.y_test))
    single = sum(module.single for module in found)
    rows: list[tuple[Cell, ...]] = []
    for number, (module, lost) in enumerate(zip(found, each, strict=True), start=1):
        best = max(module.features, key=lambda feature: feature.r2_harmonics, default=None)
        wave = ("-", "-") if best is None else (str(best.expression), best.r2_harmonics)
        rows.append(
            (number, module.frequency, module.share, lost.without_accuracy, lost.without_loss, lost.alone_accuracy,
             lost.alone_loss, *wave)
        )  # fmt: skip
    return Interpretation(
        "Frequencies of the modules before the output layer",
        f"{single} of {len(found)} modules represent a single frequency (95 % of the power of their embedding in k, 2k "
        f"and 3k); accuracy with all of them {whole.alone_accuracy:.4f}. {group.sentence}{_order(numbers)}",
        ("module", "k", "share of k", "accuracy without it", "loss without it", "accuracy alone", "loss alone",
         "its clearest feature", "r2 with harmonics"),
        tuple(rows),
    )  # fmt: skip


def _order(numbers: TokenNumbers) -> str:
    if numbers.plain:
        return ""
    first, more = numbers.tokens[:SHOWN].tolist(), "" if len(numbers.tokens) <= SHOWN else " and so on"
    return f" k counts turns over the tokens in the group's order: {', '.join(map(str, first))}{more}."
