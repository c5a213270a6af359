"""What every registered kind of model must do; a kind that somebody adds is held to the same."""

import copy
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from bimt_train import InputError, LayoutError, verify
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, load_checkpoint, save_checkpoint
from bimt_train.layouts import bind
from bimt_train.models import MODELS, Ends, ModelOptions, ModelSpec, Stream
from bimt_train.models._contract import ModelKind
from bimt_train.models.from_spec import build_model, check_options, model_for
from bimt_train.pruning import Circuit
from bimt_train.pruning._dead_neurons import shrink, unwired, without_dead_ends
from bimt_train.pruning._liveness import hidden_parts
from bimt_train.registry import Registry, load_file
from bimt_train.tasks import independence, permutation_s4

EXAMPLE = Path(__file__).parents[2] / "docs" / "extending" / "architecture.py"
load_file(EXAMPLE)  # a newcomer's kind, from outside the package
KINDS = MODELS.names()
ALL = (*KINDS, "traced")  # somebody's own module, which no task can choose
PRUNABLE = [name for name in KINDS if MODELS[name].options.example().hidden_parts() is not None]


def small(name: str, seed: int = 1) -> torch.nn.Module:
    """The kind's example, every parameter drawn anew: fresh norms are ones and zeros, and would hide what they do."""
    spec = ModelSpec(name, MODELS[name].options.example().to_json())
    generator = torch.Generator().manual_seed(seed)
    module = build_model(spec, generator=generator).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.7, generator=generator)
    return module


def rows(name: str, count: int = 20) -> np.ndarray:
    ends, rng = MODELS[name].options.example().ends, np.random.default_rng(0)
    shape = (count, ends.inputs)
    return rng.integers(0, ends.tokens, shape).astype(float) if ends.tokens else rng.uniform(-1, 1, shape)


def masked(network: Network, keep: float, seed: int, *, biases: float = 1.0) -> Network:
    """Weights of which a fraction is left; every other time whole rows go, and of embeddings always whole columns."""
    rng, tensors = np.random.default_rng(seed), {}
    for name, spec in network.layout.tensors.items():
        old = network.tensors[name]
        if spec.role == "weight":
            rows_left = rng.random((len(old), 1)) < (0.4 if seed % 2 else 1.0)
            tensors[name] = old * rows_left * (rng.random(old.shape) < keep)
        elif spec.role == "embedding":
            tensors[name] = old * (rng.random(old.shape[1]) < max(keep, 0.5))
        elif spec.role == "bias":
            tensors[name] = old * (rng.random(old.shape) < biases)
    return network.with_tensors(tensors)


@pytest.mark.parametrize("name", ALL)
def test_a_kind_comes_back_from_its_options(name: str) -> None:
    options = MODELS[name].options.example()
    module = small(name)
    assert isinstance(module, MODELS[name].function)
    assert module.spec.kind == name
    plain = json.loads(json.dumps(options.to_json()))
    assert plain == dict(module.spec.options)
    assert MODELS[name].options.model_validate(plain) == options
    with pytest.raises(ValidationError):
        MODELS[name].options.model_validate({**plain, "surplus": 1})


@pytest.mark.parametrize("name", ALL)
def test_the_shapes_are_those_of_the_module(name: str) -> None:
    module = small(name)
    found = {tensor: tuple(value.shape) for tensor, value in module.state_dict().items()}
    options = MODELS[name].options.example()
    assert dict(options.shapes()) == found
    check_options(module.spec, options.sequence_steps, found)
    with pytest.raises(InputError, match="contradicts the tensors"):
        check_options(module.spec, options.sequence_steps, {**found, "surplus.weight": (1,)})
    with pytest.raises(InputError, match="contradicts the layout"):
        check_options(module.spec, options.sequence_steps + 1, found)


@pytest.mark.parametrize("name", ALL)
def test_the_layout_is_certified(name: str) -> None:
    module, options = small(name), MODELS[name].options.example()
    layout = module.layout()
    assert bind(layout, module) is layout
    assert layout.steps == options.sequence_steps
    x = torch.tensor(rows(name))
    assert max(verify(module, layout, x).deviations.values()) < 1e-12
    broken = replace(layout, tensors=dict(list(layout.tensors.items())[1:]))
    with pytest.raises(LayoutError):
        bind(broken, module)


@pytest.mark.parametrize("name", ALL)
def test_the_ends_are_what_it_reads_and_gives(name: str) -> None:
    ends, x = MODELS[name].options.example().ends, rows(name)
    outputs = Network.of(small(name)).predict(x)
    assert outputs.shape == ((len(x), ends.inputs, ends.outputs) if ends.sequence else (len(x), ends.outputs))


@pytest.mark.parametrize("name", KINDS)
def test_it_is_chosen_for_a_task_of_its_own_ends(name: str) -> None:
    ends = MODELS[name].options.example().ends
    spec = model_for(name, ends, {"hidden": 5})
    assert spec.kind == name
    assert MODELS[name].options.model_validate(dict(spec.options)).ends == ends
    assert any(size in (5, 10) for size in build_model(spec).layout().sizes.values())
    with pytest.raises(
        InputError, match=r"unknown model option: model .*: expected hidden, .*got hiden; hint: did you"
    ):
        model_for(name, ends, {"hiden": 5})
    with pytest.raises(InputError, match="hidden layers of no size"):
        model_for(name, ends, {"hidden": 0})
    with pytest.raises(InputError, match="task"):
        model_for(name, Ends(inputs=2, outputs=2, tokens=0 if ends.tokens else 7), {})


@pytest.mark.parametrize("name", ALL)
def test_many_at_once_are_each_alone(name: str) -> None:
    twins, x = [small(name, seed) for seed in (1, 2)], torch.tensor(rows(name))
    if not hasattr(twins[0], "stacked_forward"):
        pytest.skip("vmap serves")
    tensors = {n: torch.stack([dict(m.named_parameters())[n].detach() for m in twins])
               for n, _ in twins[0].named_parameters()}  # fmt: skip
    together = twins[0].stacked_forward(tensors, torch.stack([x, x.flip(0)]))
    for k, module in enumerate(twins):
        torch.testing.assert_close(together[k], module((x, x.flip(0))[k]), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ALL)
def test_the_same_generator_draws_the_same_weights_and_leaves_torchs_own_alone(name: str) -> None:
    spec, before = ModelSpec(name, MODELS[name].options.example().to_json()), torch.random.get_rng_state()
    one, two, other = (build_model(spec, generator=torch.Generator().manual_seed(k)).state_dict() for k in (3, 3, 4))
    assert all(torch.equal(one[tensor], two[tensor]) for tensor in one)
    assert any(not torch.equal(one[tensor], other[tensor]) for tensor in one)
    assert torch.equal(before, torch.random.get_rng_state())


def wired(network: Network) -> int:
    """Neurons that an edge touches, and all of the ends and of residual streams, edge or not."""
    layout, touched = network.layout, {g.name: np.zeros(g.size, dtype=bool) for g in network.layout.groups}
    for name in layout.weights():
        plan, tensor = layout.tensors[name].plan, network.tensors[name]
        opened = tensor.reshape(plan.open_shape(tensor.shape, layout.sizes)) != 0
        for place, (group, *_) in plan.group_factors():
            touched[group] |= opened.any(axis=tuple(axis for axis in range(opened.ndim) if axis != place))
    parts = hidden_parts(network)
    assert parts is not None
    hidden = {part.group for part in parts if not isinstance(part, Stream)}
    return sum(int(flags.sum()) if group in hidden else len(flags) for group, flags in touched.items())


@pytest.mark.parametrize("name", PRUNABLE)
@pytest.mark.parametrize("seed", range(14))
def test_without_its_dead_neurons_it_is_the_same_function(name: str, seed: int) -> None:
    keep, biases = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)[seed % 7], (0.0, 0.5, 1.0)[seed % 3]
    network, x = masked(Network.of(small(name)), keep, seed, biases=biases), rows(name)
    clean = without_dead_ends(network)
    smaller, kept = shrink(clean)
    before = network.predict(x)
    scale = max(float(np.abs(before).max()), 1.0)
    np.testing.assert_allclose(clean.predict(x), before, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(smaller.predict(x), before, rtol=0, atol=1e-12 * scale)
    assert smaller.edges() == clean.edges() <= network.edges()
    empty = sum(not any(part) for part in _groups(smaller))
    beside_stream = any(isinstance(part, Stream) for part in hidden_parts(smaller) or ())
    reported = sum(smaller.layout.sizes.values()) - unwired(smaller)
    assert reported - (0 if beside_stream else empty) == wired(smaller)
    for group in smaller.layout.groups:
        old = network.placement.coordinates(network.layout, group.name)[list(kept[group.name])]
        np.testing.assert_array_equal(smaller.placement.coordinates(smaller.layout, group.name), old)
    assert bind(smaller.layout, smaller.module()) is smaller.layout
    again, _ = shrink(without_dead_ends(smaller))
    assert (again.layout.sizes, dict(again.model.options)) == (smaller.layout.sizes, dict(smaller.model.options))


def _groups(network: Network) -> list[list[bool]]:
    """Of each hidden group, whether its neurons are touched by an edge."""
    layout, found = network.layout, []
    for part in hidden_parts(network) or ():
        flags = np.zeros(layout.sizes[part.group], dtype=bool)
        for tensor in layout.weights():
            plan = layout.tensors[tensor].plan
            opened = network.tensors[tensor].reshape(plan.open_shape(network.tensors[tensor].shape, layout.sizes)) != 0
            for place, (group, *_) in plan.group_factors():
                if group == part.group:
                    flags |= opened.any(axis=tuple(axis for axis in range(opened.ndim) if axis != place))
        found.append(flags.tolist())
    return found


@pytest.mark.parametrize("name", PRUNABLE)
def test_a_circuit_is_stored_and_read_back(name: str, tmp_path: Path) -> None:
    smaller, _ = shrink(without_dead_ends(masked(Network.of(small(name)), 0.25, 3)))
    x = rows(name)
    outputs = smaller.predict(x)
    sequence = outputs.ndim > 2
    inputs, named = ([f"{end}{i}" for i in range(n)] for end, n in (("x", x.shape[1]), ("y", outputs.shape[-1])))
    task = TaskSpec(
        "any", tuple(inputs), tuple(named), ((0, 1),) * len(inputs), loss="next-token" if sequence else "mse"
    )
    y = x if sequence else outputs
    save_checkpoint(tmp_path / "m.safetensors", Checkpoint(smaller, task, Probe(x, y, x, y)))
    np.testing.assert_array_equal(load_checkpoint(tmp_path / "m.safetensors").network.predict(x), outputs)


@pytest.mark.parametrize("name", PRUNABLE)
def test_a_dense_network_keeps_its_options(name: str) -> None:
    network = Network.of(small(name))
    smaller, kept = shrink(without_dead_ends(network))
    assert dict(smaller.model.options) == dict(network.model.options)
    assert all(kept[group.name] == tuple(range(group.size)) for group in network.layout.groups)


def test_another_process_knows_a_kind_that_a_file_registers() -> None:
    name = MODELS[f"{EXAMPLE}:ResidualMLP"].name
    spec = ModelSpec(name, MODELS[name].options.example().to_json())
    program = (
        "import pickle, sys; spec = pickle.loads(bytes.fromhex(sys.stdin.read()));"
        "from bimt_train.models.from_spec import build_model;"
        "print(type(build_model(spec)).__name__, dict(spec.options))"
    )
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(spec).hex(), capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == f"ResidualMLP {dict(spec.options)}"
    assert copy.deepcopy(spec) == spec


def test_a_task_takes_a_model_of_another_kind() -> None:
    task = independence()
    gated = task.with_model("gated-mlp", {"hidden": [9, 8], "activation": "relu"})
    assert gated.model == ModelSpec("gated-mlp", {"widths": [4, 9, 8, 2], "activation": "relu"})
    assert gated.with_hidden([5]).model.options["widths"] == [4, 5, 2]
    assert task.with_model(f"{EXAMPLE}:ResidualMLP").model.kind == "residual-mlp"
    with pytest.raises(InputError, match="a language model for another task"):
        task.with_model("gpt")
    with pytest.raises(InputError, match=r"does not fit the task: .* expected 4 inputs and 2 outputs, got 3 inputs"):
        task.with_model("mlp", {"widths": [3, 2]})
    with pytest.raises(InputError, match="option of another type: model 'mlp', widths"):
        task.with_model("mlp", {"widths": "wide"})
    words = permutation_s4().with_model("embedding-mlp", {"hidden": 7, "embedding": 5}).model.options
    assert (words["tokens"], words["copies"], words["embedding"], words["widths"]) == (24, 2, 5, [7, 24])


def hand(**entries: dict[tuple[int, ...], float]) -> Network:
    """One block of two heads of three neurons, of which only these entries are not 0; names have __ for dots."""
    network = Network.of(MODELS["gpt"].function(tokens=3, context=4, width=6, heads=2, layers=1, hidden=4))
    tensors = {name: np.zeros(tensor.shape) for name, tensor in network.tensors.items()}
    for name in ("blocks.0.norm1.weight", "blocks.0.norm2.weight", "norm.weight"):
        tensors[name] = np.ones(6)
    tensors["embedding.weight"] = np.random.default_rng(0).normal(size=(3, 6))
    for name, given in {"write__weight": {(0, 0): 1.0, (1, 1): 1.0}, **entries}.items():
        for place, value in given.items():
            tensors[name.replace("__", ".")][place] = value
    return network.with_tensors(tensors)


Q, K, V = 0, 6, 12  # first rows of each in qkv


def test_rows_of_q_and_k_stay_where_they_shape_an_attention_that_matters() -> None:
    asking = {(Q + 1, 2): 2.0, (K + 1, 3): 2.0}  # neuron 1 of head 0 asks, and nothing reads it
    carried = {(V + 0, 4): 1.0}  # neuron 0 of that head carries something
    network = hand(blocks__0__qkv__weight=asking | carried, blocks__0__out__weight={(1, 0): 1.0})
    smaller, kept = shrink(without_dead_ends(network))
    assert (kept["a1"], smaller.layout.group("a1").heads) == ((0, 1), 1)
    assert smaller.model.options["heads"] == 1 and smaller.model.options["head_size"] == 2
    assert smaller.model.options["scale"] == 3**-0.5
    x = np.array([[0.0, 1, 2, 0], [2, 2, 1, 0]])
    np.testing.assert_allclose(smaller.predict(x), network.predict(x), rtol=0, atol=1e-12)
    only_v = network.tensors["blocks.0.qkv.weight"] * (np.arange(18) >= V)[:, None]
    without = network.with_tensors({"blocks.0.qkv.weight": only_v})
    assert np.abs(without.predict(x) - network.predict(x)).max() > 1e-3  # they do shape it
    silent = hand(blocks__0__qkv__weight=asking, blocks__0__out__weight={(1, 0): 1.0})
    assert without_dead_ends(silent).edges() == 2  # what writes the outputs


def test_a_constant_v_is_added_to_the_bias_behind_it() -> None:
    network = hand(blocks__0__qkv__bias={(V + 4,): 0.5}, blocks__0__out__weight={(0, 4): 3.0})
    clean = without_dead_ends(network)
    assert clean.tensors["blocks.0.out.bias"].tolist() == [1.5, 0, 0, 0, 0, 0]
    assert np.count_nonzero(clean.tensors["blocks.0.out.weight"]) == 0
    x = np.array([[0.0, 1, 2, 0]])
    np.testing.assert_allclose(clean.predict(x), network.predict(x), rtol=0, atol=1e-12)


def test_what_moves_the_mean_under_a_norm_is_not_cut() -> None:
    network = hand(blocks__0__up__weight={(2, 1): 1.0}, blocks__0__down__weight={(5, 2): 2.0})  # nobody reads 5
    smaller, kept = shrink(without_dead_ends(network))
    assert kept["m1"] == (2,) and smaller.edges() == network.edges()
    assert smaller.layout.sizes["resid"] == 6
    x = np.array([[0.0, 1, 2, 0]])
    np.testing.assert_allclose(smaller.predict(x), network.predict(x), rtol=0, atol=1e-12)


def test_heads_keep_one_size_and_what_fills_them_up_is_not_counted() -> None:
    carried = {(V + 0, 0): 1.0, (V + 1, 1): 1.0, (V + 5, 2): 1.0}
    network = hand(blocks__0__qkv__weight=carried, blocks__0__out__weight={(0, 0): 1.0, (1, 1): 1.0, (2, 5): 1.0})
    smaller, kept = shrink(without_dead_ends(network))
    assert kept["a1"] == (0, 1, 3, 5) and smaller.layout.group("a1").heads == 2
    circuit = Circuit(smaller, kept, 0.0, 0.0, 0.0, 0.0, 0, ())
    assert circuit.neurons == 6 + 3 + 3  # the stream, three that carry, the outputs


def test_half_a_kind_cannot_be_registered() -> None:
    kinds = Registry("kind of model", ModelKind, builtin={}, group="bimt.test-models")
    about = {"label": "a label", "sentence": "A sentence."}
    module, options = MODELS["mlp"].function, MODELS["mlp"].options
    with pytest.raises(InputError, match=r"half-registered kind of model: 'half'.*options"):
        kinds.register("half", **about)(module)
    with pytest.raises(InputError, match=r"half-registered kind of model: 'half'.*ModelOptions"):
        kinds.register("half", **about, options=dict)(module)
    with pytest.raises(InputError, match=r"lacks .*shapes"):
        kinds.register("half", **about, options=ModelOptions)(module)
    with pytest.raises(InputError, match="the class lacks spec"):
        kinds.register("half", **about, options=options)(torch.nn.Linear)
    assert kinds.names() == ()


def test_other_kinds_are_kept_as_they_are() -> None:
    check_options(ModelSpec("somebody's", {"any": 1}), 1, {"w": (2, 2)})
    network = Network.of(small("mlp"))
    foreign = masked(replace(network, model=ModelSpec("somebody's", {"any": 1})), 0.2, 0)
    assert without_dead_ends(foreign) is foreign
    assert shrink(foreign)[0] is foreign
    with pytest.raises(InputError, match="unknown kind of model"):
        foreign.module()
