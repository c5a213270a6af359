"""Figure 6: products in S4: which irreducible representation each neuron carries."""

from _options import Options

from bimt_analyze import circuit_of
from bimt_analyze.plots import draw_irreps, draw_network
from bimt_analyze.representations import group_of, irrep_shares
from bimt_train import train
from bimt_train.tasks import permutation_s4


def draw(options: Options) -> None:
    task = permutation_s4()
    run = train(task, seeds=options.seeds, recipe=options.recipe(task)).best
    network, group = circuit_of(run.checkpoint, refit_steps=0).network, group_of(run.checkpoint)
    assert group is not None  # of its own task
    shares = irrep_shares(network, group)
    names = [name for name in shares[0].shares if name != "trivial"]
    named = {name: {("h2", one.neuron) for one in shares if one.name == name} for name in names}
    options.save(draw_network(network, partition=named), "permutations")
    options.save(draw_irreps(shares), "permutations-representations")


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=2))
