"""Figure 4: two moons: the circuit, what class it gives where, and how the network came about."""

from _options import Options

from bimt_analyze import circuit_of
from bimt_analyze.plots import Picture, blank_axes, draw_boundary, draw_network
from bimt_train import Snapshots, train
from bimt_train.tasks import two_moons

SHOWN = (0.0, 0.05, 0.15, 0.35, 1.0)  # of the steps, where the network is drawn


def draw(options: Options) -> None:
    task, kept = two_moons(), Snapshots()
    run = train(task, seeds=options.seeds, recipe=options.recipe(task), callbacks=[kept]).best
    circuit, data = circuit_of(run.checkpoint, refit_steps=options.refit_steps), task.data(run.seed)
    axes = blank_axes(11.0, 6.0)
    axes.set_axis_off()
    draw_boundary(run.checkpoint, data.x_test, data.y_test, ax=axes.inset_axes((0.56, 0.45, 0.44, 0.5)))
    left = axes.inset_axes((0.03, 0.45, 0.42, 0.5))
    draw_network(circuit.network, legend=False, ax=left)
    left.set_title(f"circuit of {circuit.edges} edges", fontsize=9, loc="left", pad=20)
    snapshots = kept.of(run.seed)
    for place, share in enumerate(SHOWN):
        snapshot = snapshots[round(share * (len(snapshots) - 1))]
        panel = axes.inset_axes((0.03 + 0.2 * place, 0.0, 0.17, 0.3))
        draw_network(snapshot.network, threshold=1e-2, legend=False, ax=panel)
        panel.set_title(f"step {snapshot.step}", fontsize=9, pad=16)
    options.save(Picture(axes, "A circuit, its classes, and how it came about."), "two-moons")


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=4))
