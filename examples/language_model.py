"""A language model with few weights, from a text to pictures: python examples/language_model.py TEXT [FOLDER]."""

import argparse
from dataclasses import replace
from pathlib import Path

from bimt_analyze.plots import draw_stream
from bimt_analyze.transformers import alive, continuation, stream_map
from bimt_train import ProgressBar, default_recipe, prune, train
from bimt_train.tasks import language


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/language"))
    parser.add_argument("--steps", type=int, default=3000)
    chosen = parser.parse_args()
    task = language(chosen.text)
    recipe = replace(default_recipe(task), steps=chosen.steps)
    checkpoint = train(task, seeds=2, recipe=recipe, out=chosen.folder, callbacks=[ProgressBar()]).best.checkpoint

    probe = checkpoint.probe
    circuit = prune(
        checkpoint.network, probe.x_test, probe.y_test, loss="next-token", refit_steps=0, search="narrowing"
    ).network
    living = alive(circuit)
    print(f"{circuit.edges()} weights, {living.heads} heads and {living.neurons} neurons alive")
    print(continuation(replace(checkpoint, network=circuit), "\n"))
    print(draw_stream(stream_map(circuit)).save(chosen.folder / "stream.png"))


if __name__ == "__main__":
    main()
