"""Make the pictures of the README and the docs anew: python examples/gallery.py [FOLDER]."""

import sys
from pathlib import Path

from bimt_analyze import analyze
from bimt_analyze.plots import draw_network, save_picture
from bimt_train import train
from bimt_train.tasks import evidence, independence


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for task in (independence(), evidence()):
        report = analyze(train(task, seeds=4).best.checkpoint)
        axes = draw_network(report.circuit.network, partition=report.partition)
        path = folder / f"{task.card.name}.png"
        save_picture(axes, path)
        print(path)


if __name__ == "__main__":
    main()
