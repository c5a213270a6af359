"""The audit on networks whose answer is known, on the paper's task, and against the clock."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.stats import mannwhitneyu
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from benchmarks.common._measure import table, write_section
from benchmarks.modules._audit_cases import Case, Truth, negatives, positives
from bimt_analyze import audit, circuit_of
from bimt_analyze.audits import significance
from bimt_analyze.audits.chance._stream_subspaces import subspaces
from bimt_analyze.audits.robustness._before_pruning import BeforePruning, before_pruning
from bimt_analyze.audits.truth._agreement import agreement
from bimt_analyze.audits.truth._matching import labels_apart
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import Partition, connected_components, leiden
from bimt_analyze.synthetic import compiled_program
from bimt_train import Recipe, train
from bimt_train.checkpoints import Checkpoint
from bimt_train.fan_out import fan_out
from bimt_train.tasks import TASKS
from bimt_train.training import DEFAULT_RECIPES, PAPER_RECIPES

SAMPLES, JUDGING = 200, 100
TYPES = ("vanilla", "l1", "l1+local", "l1+swap", "bimt")


@dataclass(frozen=True)
class Outcome:
    """What the audit said of one case."""

    kind: str
    modular: bool
    p: float
    modules: int
    level: str
    ami: float | None = None
    planted: float | None = None
    best: float | None = None
    wanted: int | None = None
    diagonal: float | None = None
    seconds: float = 0.0


def judged(case: Case) -> Outcome:
    """One whole audit, without networks trained anew."""
    network, x, truths = case.make()
    began = time.perf_counter()
    found = audit(network, x=x, samples=JUDGING, retrain_steps=0, refit_steps=0, seed=case.number)
    spent = time.perf_counter() - began
    p = found["nulls"]["specialisation", "degree_preserving"].p
    told = Outcome(case.kind, found.verdict.modular, p, len(found.modules), found.choice.level.name, seconds=spent)
    if not truths:
        return told
    at = [_ami(found.partition, truth) for truth in truths]
    best = max(_ami(level.partition, truths[0]) for level in (found.choice.level, *found.levels.levels))
    wanted = len(set(truths[int(np.argmax(at))].values()))
    ablated = found.get("mean_ablation_effects")
    harm = None if ablated is None or case.kind != "blocks" else _off_diagonal(ablated.matrix)
    return Outcome(**{**vars(told), "ami": max(at), "planted": at[0], "best": best, "wanted": wanted, "diagonal": harm})


def _ami(partition: Partition, truth: Truth) -> float:
    """Over neurons that serve one module and that pruning left; those that no edge joins stand alone."""
    nodes = sorted(set(truth) & partition.nodes)
    return float(adjusted_mutual_info_score([truth[node] for node in nodes], labels_apart(partition, nodes)))


def _off_diagonal(matrix: np.ndarray) -> float:
    """How far damages are from 1 where a module serves an output, and from 0 where not."""
    return float(np.abs(matrix - (matrix > 0.5)).max())


def known_section(outcomes: Sequence[Outcome]) -> list[str]:
    rows = []
    for kind in dict.fromkeys(one.kind for one in outcomes):
        of = [one for one in outcomes if one.kind == kind]
        rows.append(
            [
                kind, len(of), _share([one.ami >= 0.95 for one in of]), _share([one.ami >= 0.9 for one in of]),
                _share([one.modules == one.wanted for one in of]), f"{np.median([one.ami for one in of]):.2f}",
                f"{min(one.ami for one in of):.2f}", _share([one.planted >= 0.95 for one in of]),
                _share([one.best >= 0.95 for one in of]), _share([one.modular for one in of]),
            ]
        )  # fmt: skip
    head = (
        "network", "nets", "AMI 0.95 or more", "0.9 or more", "number of modules right", "AMI, median", "least",
        "planted modules themselves, AMI 0.95", "some level of the hierarchy, AMI 0.95", "called modular",
    )  # fmt: skip
    off = [one.diagonal for one in outcomes if one.diagonal is not None]
    return [
        "One audit each, the level chosen without looking. AMI is with the planted modules or, of sums and Boolean "
        "hierarchies, with the trees that these form, whichever is nearer; the planted ones alone stand behind.",
        "",
        *table(head, rows),
        "",
        f"Damage matrix of the {len(off)} block networks: at most {max(off):.1e} from 0 and 1 "
        f"(0.01). An audit takes {np.median([one.seconds for one in outcomes]):.1f} s (median) without retraining.",
    ]


def negative_section(outcomes: Sequence[Outcome]) -> list[str]:
    rows = []
    for kind in (*dict.fromkeys(one.kind for one in outcomes), "all"):
        of = [one for one in outcomes if kind in (one.kind, "all")]
        rows.append(
            [
                kind, len(of), _share([one.modular for one in of]), _share([one.p < 0.05 for one in of]),
                _share([one.modules > 1 for one in of]),
            ]
        )  # fmt: skip
    head = ("network", "nets", "called modular (at most 5 %)", "p below 0.05", "more than one module chosen")
    return [*table(head, rows), "", "Called modular: more than one module, and p below 0.05."]


def _share(flags: Sequence[Any]) -> str:
    return f"{sum(map(bool, flags))} of {len(flags)} ({np.mean(list(map(bool, flags))):.0%})"


@dataclass(frozen=True)
class Scored:
    """One network of the paper's task: its headline, and what usual tools say of it."""

    type: str
    before_pruning: BeforePruning
    score: float
    p: float
    naive_modules: int
    naive_ari: float
    naive_q: float
    z_all: float
    z_entries: float
    z_degrees: float


def scored(given: tuple[str, Checkpoint]) -> Scored:
    """Specialisation before pruning, agreement of the circuit, and what Leiden finds in the network before pruning.

    Leiden runs at resolution 1 on magnitudes; z of its modularity is taken against three shuffles.
    """
    kind, checkpoint = given
    circuit = circuit_of(checkpoint)
    probe, parts = checkpoint.probe, checkpoint.task.decomposition
    x = np.concatenate([probe.x_train, probe.x_test])
    graph = neuron_graph(circuit.network, weights="activation", x=x)
    whole = before_pruning(checkpoint.network, neuron_graph(checkpoint.network, weights="attribution", x=x), x, parts)
    agreed = agreement(circuit.network, parts, x=x, graph=graph).score
    plain = neuron_graph(checkpoint.network)
    naive = leiden(plain, seed=0)
    q = naive.quality or 0.0
    ends = [node for node in plain.nodes if node.group in (plain.inputs, plain.outputs)]
    group = {name: n for n, (ins, outs) in enumerate(parts.modules()) for name in (*ins, *outs)}
    truth = [group[(parts.inputs if e.group == plain.inputs else parts.outputs)[e.index]] for e in ends]
    tests = {
        m: significance(plain, statistic="modularity", null_model=m, samples=50)
        for m in ("weight_permutation", "degree_preserving")
    }
    return Scored(
        kind, whole, agreed, significance(graph).p, len(naive.modules),
        float(adjusted_rand_score(truth, naive.labels(ends))), q, _z_all(plain, q),
        tests["weight_permutation"].z or 0.0, tests["degree_preserving"].z or 0.0,
    )  # fmt: skip


def _z_all(graph: Any, observed: float) -> float:
    """Modularity against all entries of each layer pair shuffled, zeros too."""
    from bimt_analyze.modules._leiden import best_modularity

    weights, values = graph.adjacency(), []
    members = [graph.members(group) for group in graph.groups]
    for seed in range(50):
        rng, drawn = np.random.default_rng(seed), np.zeros_like(weights)
        for source, target in pairwise(members):
            block = weights[np.ix_(target, source)]
            drawn[np.ix_(target, source)] = rng.permutation(block.ravel()).reshape(block.shape)
        values.append(best_modularity(drawn, seed=seed))
    return float((observed - np.mean(values)) / max(np.std(values), 1e-12))


def paper_section(seeds: int, first: int, task: str, recipe: Recipe, recipe_name: str) -> list[str]:
    given = [
        (kind, run.checkpoint)
        for kind in TYPES
        for run in train(TASKS[task].make(), seeds=range(first, first + seeds), kind=kind, recipe=recipe).runs
    ]
    found = fan_out(scored, given)
    of = {kind: [one for one in found if one.type == kind] for kind in TYPES}
    rows = [[kind, *_paper_columns(ones).values()] for kind, ones in of.items()]
    measures: dict[str, Callable[[Scored], float]] = {
        "specialisation as trained": lambda one: one.before_pruning.specialisation,
        "less leak as trained": lambda one: -(one.before_pruning.leak or 0.0),
        "agreement of the circuit": lambda one: one.score,
    }
    pairs = (("bimt", "l1+swap"), ("bimt", "l1"), ("l1", "vanilla"))
    tests = [
        [name, *(f"{_greater([[value(each) for each in of[kind]] for kind in pair]):.2g}" for pair in pairs)]
        for name, value in measures.items()
    ]
    return [
        f"{task}, seeds {first} to {first + seeds - 1} of every type, {recipe_name} recipe ({recipe.steps:,} steps). "
        "Headline: specialisation of the network as trained, edges weighted by attribution, before anything is cut. "
        "Agreement: of the modules of the circuit, pruned with a refit, with the known parts. Naive: Leiden at "
        "resolution 1 on the magnitudes of the network as trained, two modules being true, and z of its modularity "
        "against three shuffles.",
        "",
        *table(["type", *_paper_columns(found)], rows),
        "",
        "p of Mann and Whitney's test over seeds, one-sided:",
        "",
        *table(["", *(f"{one} > {other}" for one, other in pairs)], tests),
    ]


def _paper_columns(ones: Sequence[Scored]) -> dict[str, str]:
    """Heading -> what the networks of one type come to."""

    def mean(of: Callable[[Scored], float], form: str = ".1f") -> str:
        return format(np.mean([of(one) for one in ones]), form)

    bits, score = [one.before_pruning.specialisation for one in ones], [one.score for one in ones]
    return {
        "specialisation as trained, bits: median (least to greatest)": f"{np.median(bits):.2f} ({min(bits):.2f} to "
        f"{max(bits):.2f})",
        "leak, median": f"{np.median([one.before_pruning.leak for one in ones]):.1e}",
        "agreement of the circuit: mean (least)": f"{np.mean(score):.3f} ({min(score):.2f})",
        "agreement 1": _share([value == 1 for value in score]),
        "p below 0.05": _share([one.p < 0.05 for one in ones]),
        "naive: modules": mean(lambda one: one.naive_modules),
        "naive: ARI": mean(lambda one: one.naive_ari, ".2f"),
        "naive: Q": mean(lambda one: one.naive_q, ".2f"),
        "z, all entries shuffled": mean(lambda one: one.z_all),
        "z, other than 0": mean(lambda one: one.z_entries),
        "z, same degrees": mean(lambda one: one.z_degrees),
    }


def _greater(pair: Sequence[Sequence[float]]) -> float:
    """P of the first of two samples not being the greater."""
    return float(mannwhitneyu(*pair, alternative="greater").pvalue)


def program_section(each: int) -> list[str]:
    """Programs have tokens for inputs: their residual stream is what falls into parts."""
    rows = []
    for program in ("histogram", "reverse", "sort_by_frequency"):
        scores: dict[str, list[float]] = {"components": [], "chosen": []}
        rare = 0
        for seed in range(each):
            made = compiled_program(program=program, seed=seed)
            found = subspaces(made.network, samples=200, seed=seed)
            truth = {node.key: made.modules[node.key] for node in found.graph.nodes}
            known = {node: module for node, module in truth.items() if module is not None}
            scores["components"].append(_ami(connected_components(found.graph), known))
            scores["chosen"].append(_ami(found.level.partition, known))
            rare += found.significance.p < 0.05
        told = (f"{np.median(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in scores.values())
        rows.append([program, each, *told, f"{rare} of {each}"])
    head = ("program", "nets", "AMI of the components", "AMI of the chosen level", "p below 0.05")
    return [
        "Positions of the residual stream, heads and neurons, joined where one reads or writes another's subspace "
        "(`subspace_graph`), against the variables of the program; median (least to greatest).",
        "",
        *table(head, rows),
    ]


def time_section() -> list[str]:
    rows = []
    for name in ("independence", "feature-sharing", "composition"):
        checkpoint = train(TASKS[name].make(), seeds=1).best.checkpoint
        texts, spent = [], []
        for _ in range(2):
            began = time.perf_counter()
            found = audit(checkpoint, samples=SAMPLES)
            spent.append(time.perf_counter() - began)
            texts.append(json.dumps(found.to_json()))
        again = {how: len(one.significance.null) for how, one in found["retrained"].items()}
        rows.append([name, f"{max(spent):.0f} s", str(again), "yes" if texts[0] == texts[1] else "NO"])
    head = ["task", f"audit with {SAMPLES} samples of each null, slower of 2 (60 s)", "retrained", "the same twice"]
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=50, help="networks of every kind")
    parser.add_argument("--seeds", type=int, default=25, help="of each training type")
    parser.add_argument("--first", type=int, default=0, help="seed of each training type")
    parser.add_argument("--processes", type=int, help="audits at once; one a core if left out")
    parts = ("known", "negative", "programs", "paper", "time")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    chosen = parser.parse_args()
    if "known" in chosen.parts:
        found = fan_out(judged, list(positives(chosen.each)), processes=chosen.processes)
        write_section("Audit of networks of known structure", known_section(found))
    if "negative" in chosen.parts:
        found = fan_out(judged, list(negatives(chosen.each)), processes=chosen.processes)
        write_section("Audit of networks without modules", negative_section(found))
    if "programs" in chosen.parts:
        write_section("Audit of programs compiled into transformers", program_section(min(chosen.each, 10)))
    if "paper" in chosen.parts:
        for name, recipes in (("the paper's own", PAPER_RECIPES), ("the default", DEFAULT_RECIPES)):
            lines = paper_section(chosen.seeds, chosen.first, "independence", recipes["independence"], name)
            write_section(f"Audit of the paper's task by {name} recipe", lines)
    if "time" in chosen.parts:
        write_section("Audit, time and repetition", time_section())


if __name__ == "__main__":
    main()
