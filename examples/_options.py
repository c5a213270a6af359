"""What all examples share: where pictures go, and how long to train."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from bimt_analyze import AnalysisOptions
from bimt_analyze.plots import Picture
from bimt_train import Recipe, default_recipe
from bimt_train.tasks import Task


@dataclass(frozen=True)
class Options:
    """Where pictures are written, how many seeds are trained, and for how many steps (None: as the recipe says)."""

    out: Path
    seeds: int
    steps: int | None = None
    mnist: Path | None = None

    @classmethod
    def read(cls, what: str | None, *, seeds: int, words: Sequence[str] | None = None) -> "Options":
        """From the command line."""
        parser = argparse.ArgumentParser(description=what)
        parser.add_argument("out", nargs="?", type=Path, default=Path("docs/pictures"), help="folder for the pictures")
        parser.add_argument("--seeds", type=int, default=seeds, help="networks to train; the best is drawn")
        parser.add_argument("--steps", type=int, help="of training; left out, what the task's recipe says")
        parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="where the files of MNIST lie")
        return cls(**vars(parser.parse_args(words)))

    def recipe(self, task: Task) -> Recipe:
        """The task's own, shortened if asked."""
        recipe = default_recipe(task)
        return recipe if self.steps is None else replace(recipe, steps=self.steps)

    @property
    def refit_steps(self) -> int:
        """Of each circuit: none if training is shortened."""
        return AnalysisOptions().refit_steps if self.steps is None else 0

    def save(self, drawn: Picture, name: str) -> None:
        """Write a picture in 256 colours, which takes a third of the bytes, and say where."""
        self.out.mkdir(parents=True, exist_ok=True)
        path = drawn.save(self.out / f"{name}.png", dpi=120)
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
        print(path)
