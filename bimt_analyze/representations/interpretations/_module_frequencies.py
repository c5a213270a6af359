"""Modular addition: the frequency of each module."""

from bimt_train.checkpoints import Checkpoint, Network

from .._class_ablation import ablations
from .._frequencies import frequency_modules
from .._hidden_activations import module_partition
from .._interpretation import INTERPRETATIONS, Cell, Interpretation


@INTERPRETATIONS.register(
    "frequencies",
    label="frequencies of modules",
    sentence="Gives the frequency of each module of a network of modular addition.",
    applies=lambda checkpoint, _: checkpoint.task.name == "modular-addition",
)
def module_frequencies(checkpoint: Checkpoint, network: Network) -> Interpretation:
    """Table of the frequency of each module, and what the classes lose without it.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of modular addition, with probe rows.
    network : Network
        Its network or circuit.

    Returns
    -------
    Interpretation
        One row a module.
    """
    modules = module_partition(network).modules
    found = frequency_modules(network, modules)
    whole, *each = ablations(network, modules, checkpoint.probe.x_test, checkpoint.probe.y_test)
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
        f"and 3k); accuracy with all of them {whole.alone_accuracy:.4f}.",
        ("module", "k", "share of k", "accuracy without it", "loss without it", "accuracy alone", "loss alone",
         "its clearest feature", "r2 with harmonics"),
        tuple(rows),
    )  # fmt: skip
