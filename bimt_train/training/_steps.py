"""The steps between two measurements: gradients, charges, relocation, and what is held."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Int32

from ..connection_cost._relocate import relocate_all
from ..layouts import Placement
from ._setting import Setting
from ._stack import Flat
from .engines._engine import Engine, Stretch
from .state._progress import Ahead, Progress


def stepped(setting: Setting, engine: Engine, progress: Progress, until: int, due: Callable[[], bool]) -> Ahead:
    """Steps from where the run stands, without a measurement; one at least.

    Parameters
    ----------
    setting : Setting
        What does not change during the run.
    engine : Engine
        What takes the steps.
    progress : Progress
        Where the run stands; it is left as it is.
    until : int
        The step of the next measurement.
    due : callable
        Whether to stop before it.
    """
    recipe, ahead = setting.recipe, progress.now
    step, moments, placements = ahead.step, ahead.moments, ahead.placements
    resting = tuple(row for row, _ in progress.diverged)
    picks = _picks(setting, progress.step, until)
    phase, charges, held = None, None, setting.held(moments.flat)
    while step < until:
        if charges is None or phase is not recipe.phase_at(step):
            phase = recipe.phase_at(step)
            charges = setting.charges(placements, phase)
        end = min(recipe.steady_until(step), step + (1 if held else engine.steps_at_once), until)
        some = None if picks is None else picks[step - progress.step : end - progress.step]
        lrs = np.array([recipe.lr_at(number) for number in range(step, end)])
        engine.advance(moments, Stretch(step, lrs, charges, some, resting))
        if held is not None:
            places, values = held
            moments.flat[:, places] = values
        step = end
        if recipe.relocates_after(step - 1):
            placements, charges = _relocated(setting, moments.flat, placements), None
        if due():
            break
    return Ahead(step, moments, placements)


def _relocated(setting: Setting, flat: Flat, placements: Sequence[Placement]) -> tuple[Placement, ...]:
    """Every seed's neurons in their new places; a seed whose weights are not finite stays as it is."""
    plan = setting.recipe.relocation
    sound = torch.isfinite(flat).all(dim=1).cpu().numpy().nonzero()[0].tolist()
    views = setting.stack.weights(flat[sound])
    weights = {name: views[name].detach().cpu().numpy() for name in setting.layout.weights()}
    now = [placements[row] for row in sound]
    moved = relocate_all(setting.layout, now, weights, setting.recipe.cost, method=plan.method, top_k=plan.top_k)
    placed = list(placements)
    for row, placement in zip(sound, moved, strict=True):
        placed[row] = placement
    return tuple(placed)


def _picks(setting: Setting, measured: int, until: int) -> Int32[np.ndarray, "steps networks batch"] | None:
    """The rows of each step: all of them, or a batch that depends on the seed and the last measured step alone."""
    batch, rows = setting.recipe.batch, setting.y.shape[1]
    if batch is None or batch >= rows:
        return None
    draws = [
        np.random.default_rng((seed, measured)).integers(0, rows, (until - measured, batch))
        for seed, _ in setting.replicas
    ]
    return np.stack(draws, axis=1, dtype=np.int32, casting="same_kind")
