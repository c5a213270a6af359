"""The separate modules of a network as values that can be saved, one a file, and given to the next training."""

from collections.abc import Mapping

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint
from bimt_train.library import StoredModule
from bimt_train.models.from_spec import options_of

from .._circuit_of import circuit_of
from ..export import compact
from ..export._compact import separate
from ..formulas import Formula, approximate_formula

_POINTS = 500  # on which a module's formula is searched


def module_files(
    checkpoint: Checkpoint, *, formulas: Mapping[str, Formula] | None = None, tolerance: float = 0.05, seed: int = 0
) -> tuple[StoredModule, ...]:
    """The modules of a network's circuit that share no neuron, in the task's units.

    Parameters
    ----------
    checkpoint : Checkpoint
        A network of layers without a final function, and its rows.
    formulas : mapping of str to Formula, optional
        Output -> its formula, as a report has them. Left out, each output of a module gets a short formula of what the
        module computes, by a brief search.
    tolerance : float, default 0.05
        Of pruning, as `bimt_analyze.circuit_of` takes it.
    seed : int, default 0
        Of the points on which formulas are searched.

    Returns
    -------
    tuple of StoredModule
        In the order of their first outputs. ``module.save(path)`` writes one to a file.

    Raises
    ------
    InputError
        The network is not made of layers, or no weight is left in it.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> weights = {"0.weight": np.array([[1.0, 0], [-1, 0], [0, 1]]), "2.weight": np.array([[1.0, 1, 0], [0, 0, 1]])}
    >>> checkpoint = from_state_dict(weights, activation="relu", ranges=(-1, 1))
    >>> [(one.inputs, one.outputs, one.hidden) for one in module_files(checkpoint, formulas={})]
    [(('x1',), ('y1',), (2,)), (('x2',), ('y2',), (1,))]
    """
    task = checkpoint.task
    options = options_of(checkpoint.network.model)
    layers = None if options is None else options.dense_layers()
    if layers is None or layers.copies or layers.final != "identity":
        hint = "give a network of layers with one activation, trained here or read with from_module"
        raise InputError("a network without modules of layers", got=checkpoint.network.model.kind, hint=hint)
    network = circuit_of(checkpoint, tolerance=tolerance).network
    scale, low, high = (
        np.array(numbers, dtype=np.float64)
        for numbers in (task.input_scale or [1.0] * len(task.inputs), *zip(*task.ranges, strict=True))
    )
    shift = np.array(task.input_shift or [0.0] * len(task.inputs))
    unit = np.array(task.output_scale or [1.0] * len(task.outputs))
    middle = np.array(task.output_shift or [0.0] * len(task.outputs))
    found = []
    for one in separate(compact(network, inputs=task.inputs, outputs=task.outputs)):
        reads, places, arrays = list(one.reads), list(one.places), one.arrays()
        chain = [
            (np.asarray(arrays[f"layers.{k}.weight"], np.float64), np.asarray(arrays[f"layers.{k}.bias"], np.float64))
            for k in range(len(one.layers))
        ]
        weight, bias = chain[0]
        chain[0] = weight / scale[reads], bias - weight @ (shift[reads] / scale[reads])
        weight, bias = chain[-1]
        chain[-1] = weight * unit[places][:, None], bias * unit[places] + middle[places]
        about = {"task": task.name, "seed": checkpoint.config.get("seed"), "kind": checkpoint.config.get("kind")}
        plain = StoredModule(one.inputs, one.outputs, tuple(chain), layers.activation, {}, about)
        if formulas is None:
            x = np.random.default_rng(seed).uniform(low[reads], high[reads], (_POINTS, len(reads)))
            said = _searched(plain, x, seed)
        else:
            said = {name: str(formulas[name].expression) for name in one.outputs if name in formulas}
        found.append(StoredModule(one.inputs, one.outputs, plain.layers, plain.activation, said, about))
    return tuple(found)


def _searched(module: StoredModule, x: np.ndarray, seed: int) -> dict[str, str]:
    """A short formula of each output."""
    return {
        name: str(approximate_formula(x, y, names=module.inputs, output=name, time_limit=3.0, seed=seed).expression)
        for name, y in zip(module.outputs, module.predict(x).T, strict=True)
    }
