"""What to type next, fitting what just happened."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # brings torch
    from ..training import Run, Runs, Sweep

CONFIG_FILE = "run.toml"
FILM_PAGE = "film.html"


def after_training(runs: "Runs", out: Path, *, film: bool = False) -> str:
    """What follows a run: to resume it, to train it otherwise, or to read it.

    Parameters
    ----------
    runs : Runs
        What came of it.
    out : Path
        Its folder.
    film : bool
        Whether the training was kept.

    Returns
    -------
    str
        A command, with a comment where it is not the usual one.
    """
    from ..checkpoints import task_score

    if runs.interrupted:
        return _again(out, "--resume")
    best = runs.best
    recipe = best.checkpoint.config["recipe"]
    if _all_diverged(runs.runs):
        return _again(out, f"--lr {recipe['lr'] / 3:.2g}", why="every seed diverged")
    score = task_score(best.checkpoint)
    if score is not None and not score.fits:
        why = f"{score.measure} {score.score:.2f}: the best seed does its task in part at most"
        return _again(out, f"--steps {2 * recipe['steps']}", why=why)
    return f"{_read(out)}{f' --film {shlex.quote(str(out / FILM_PAGE))}' if film else ''}"


def after_sweep(found: "Sweep", out: Path) -> str:
    """What follows a sweep: to resume it, or to read its best recipe.

    Parameters
    ----------
    found : Sweep
        What came of it.
    out : Path
        Its folder.

    Returns
    -------
    str
        A command, with a comment.
    """
    if found.interrupted:
        return _again(out, "--resume")
    medians = {cell.folder: cell.to_json()["test_loss"]["median"] for cell in found.cells}
    lasting = {folder: median for folder, median in medians.items() if median is not None}
    if not lasting:
        return _again(out, "--lr 0.001", why="every seed of every recipe diverged")
    return f"{_read(out / min(lasting, key=lambda folder: lasting[folder]))}    # the least median test loss"


def _all_diverged(runs: "tuple[Run, ...]") -> bool:
    return all(run.diverged_at is not None for run in runs)


def _again(out: Path, change: str, *, why: str = "") -> str:
    words = f"bimt-train --config {shlex.quote(str(out / CONFIG_FILE))} {change}"
    return f"{words}    # {why}" if why else words


def _read(folder: Path) -> str:
    return f"bimt-analyze {shlex.quote(str(folder))} --html {shlex.quote(str(folder / 'report.html'))}"
