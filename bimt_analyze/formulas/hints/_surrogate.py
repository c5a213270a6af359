"""A surrogate: dense networks without connection cost, fitted to the rows for their smooth derivatives."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from bimt_train import Recipe, Relocation, train
from bimt_train.checkpoints import Checkpoint
from bimt_train.extras import need
from bimt_train.tasks import Task

from ._differentiable import Differentiable

_WIDTH = 16  # of two hidden layers: some 300 weights, whose exact Jacobian is still cheap
_SEEDS = 3  # whose errors cancel in the mean
_STEPS = 1500  # of Adam: only a start, least squares does the rest
_RATE = 1e-2  # learning rate of Adam
_ROUNDS = 30  # evaluations of the second-order method
_RIDGE = 1e-4  # of each weight against each residual: keeps the wiggles of few rows down


def surrogate(
    x: Float64[np.ndarray, "rows inputs"], y: Float64[np.ndarray, " rows"], *, names: tuple[str, ...], seed: int
) -> Differentiable:
    """Three dense networks fitted to the rows, whose mean has smoother derivatives than a sparse network.

    Each has two hidden layers of 16 and is trained without connection cost (``vanilla``): Adam first, all seeds at
    once; then nonlinear least squares with the exact Jacobian (trust region, `scipy.optimize.least_squares`) on the
    training rows of each seed. Of a seed's two networks the one of less error on its held-out fifth stays.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs, at least ten rows.
    y : array of shape [rows]
        The output.
    names : tuple of str
        The names of the columns of ``x``.
    seed : int
        Of the three networks' initial weights and held-out rows.

    Returns
    -------
    Differentiable
        The mean of the three, its ``source`` being ``"surrogate"``.

    Raises
    ------
    TaskError
        For fewer than ten rows, or constant columns.

    Examples
    --------
    It trains for some seconds, and so is not run here.

    >>> x = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    >>> function = surrogate(x, x[:, 0] * x[:, 1], names=("a", "b"), seed=0)  # doctest: +SKIP
    >>> function.hessian(x[:3])[:, 0, 1].round(1)  # doctest: +SKIP
    array([1., 1., 1.])
    """
    need("pandas", "a surrogate")
    import pandas as pd

    from bimt_train.tasks import table_task

    table = pd.DataFrame(x, columns=list(names))
    target = next(f"y{'_' * k}" for k in range(len(names) + 1) if f"y{'_' * k}" not in names)
    table[target] = y
    task = table_task(table, target=target, widths=(len(names), _WIDTH, _WIDTH, 1))
    recipe = Recipe(steps=_STEPS, lr=_RATE, warmup=0.05, decay_from=0.3, relocation=Relocation(method="none"))
    runs = train(task, seeds=[_SEEDS * seed + k for k in range(_SEEDS)], recipe=recipe, kind="vanilla")
    return Differentiable([_refined(run.checkpoint, task, run.seed) for run in runs.runs], 0, "surrogate")


def _refined(checkpoint: Checkpoint, task: Task, seed: int) -> Checkpoint:
    """The checkpoint after least squares, or as it was where its held-out rows are met better."""
    import torch
    from scipy.optimize import least_squares

    data, spec = task.data(seed), task.spec
    x = torch.tensor(spec.to_network_inputs(data.x_train), dtype=torch.float64)
    y = torch.tensor(spec.to_network_targets(data.y_train)[:, 0], dtype=torch.float64)
    module = checkpoint.network.module().double()
    parameters = {name: p.detach() for name, p in module.named_parameters()}
    sizes = [p.numel() for p in parameters.values()]
    shapes = [p.shape for p in parameters.values()]

    def unpacked(flat: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = torch.split(flat, sizes)
        return {n: part.reshape(s) for n, part, s in zip(parameters, parts, shapes, strict=True)}

    def one(flat: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = torch.func.functional_call(module, unpacked(flat), (row[None],))[0, 0]
        return value

    values = torch.func.vmap(one, in_dims=(None, 0))
    slopes = torch.func.vmap(torch.func.grad(one), in_dims=(None, 0))
    scale = len(x) ** -0.5

    def residuals(flat: np.ndarray) -> np.ndarray:
        at = torch.from_numpy(flat)
        return np.concatenate([scale * (values(at, x) - y).detach().numpy(), _RIDGE * flat])

    def jacobian(flat: np.ndarray) -> np.ndarray:
        rows = scale * slopes(torch.from_numpy(flat), x).detach().numpy()
        return np.concatenate([rows, _RIDGE * np.eye(len(flat))])

    start = torch.cat([p.reshape(-1) for p in parameters.values()]).numpy().copy()
    found = least_squares(residuals, start, jacobian, max_nfev=_ROUNDS)
    tensors = {name: part.numpy() for name, part in unpacked(torch.from_numpy(found.x)).items()}
    refined = replace(checkpoint, network=checkpoint.network.with_tensors(tensors))

    def held(one: Checkpoint) -> float:
        return float(np.mean((one.predict(data.x_test) - data.y_test) ** 2))

    return min((checkpoint, refined), key=held)
