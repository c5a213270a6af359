"""The compiled engine against torch's, in double precision where gradients are compared."""

import logging
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from bimt_train import InputError, Recipe, Relocation, train
from bimt_train.losses import LOSSES
from bimt_train.models import MODELS, ModelSpec
from bimt_train.models.from_spec import build_model, options_of
from bimt_train.native import _load
from bimt_train.native._load import compiled_module
from bimt_train.tasks import formula_task, independence, modular_addition
from bimt_train.training._stack import Stack
from bimt_train.training.engines._choose import choose_engine
from bimt_train.training.engines._compiled_engine import CompiledEngine
from bimt_train.training.engines._engine import Moments, Stretch
from bimt_train.training.engines._torch_engine import TorchEngine, task_gradient

CODE = compiled_module()
built = pytest.mark.skipif(CODE is None, reason="the compiled engine was not built: no C compiler was there")
KERNELS = () if CODE is None else CODE.KERNELS
WIDTHS = [(4, 20, 20, 2), (3, 7, 1), (5, 1, 9, 17, 3), (2, 4), (17, 33, 6, 5)]


def test_it_is_built_wherever_there_is_a_compiler():
    assert (CODE is not None) or shutil.which("cc") is None


class Case:
    """Three networks with data, charges and both engines."""

    def __init__(self, spec: ModelSpec, loss: str, *, rows: int = 37, seed: int = 0) -> None:
        options = options_of(spec)
        draw = torch.Generator().manual_seed(seed)
        modules = [build_model(spec, generator=torch.Generator().manual_seed(k)) for k in range(3)]
        self.spec, self.loss = spec, LOSSES[loss]
        ends = options.ends
        shape = (3, rows, ends.inputs)
        self.x = torch.randint(ends.tokens, shape, generator=draw).float() if ends.tokens else _normal(shape, draw)
        self.stack = Stack.of(modules[0], self.x[0])
        self.moments = Moments.start(
            self.stack.pack([{name: p.detach() for name, p in module.named_parameters()} for module in modules])
        )
        self.y = _normal((3, rows, ends.outputs), draw)
        if loss != "mse":
            self.y = torch.nn.functional.one_hot(self.y.argmax(2), ends.outputs).float()
        inside = self.moments.flat != 0
        self.charges = torch.rand(self.moments.flat.shape, generator=draw) * 1e-2 * inside

    def compiled(self, *, threads: int = 1, kernel: str | None = None) -> CompiledEngine:
        engine = choose_engine("compiled", *self._about(), batch=None, threads=threads)
        assert isinstance(engine, CompiledEngine)
        return engine if kernel is None else replace(engine, kernel=KERNELS.index(kernel))

    def reference(self) -> TorchEngine:
        engine = choose_engine("torch", *self._about(), batch=None, threads=1)
        assert isinstance(engine, TorchEngine)
        return engine

    def _about(self):
        return self.spec, self.stack, self.x, self.y, self.loss

    def after(self, engine, steps: int = 1, **about) -> Moments:
        moments = self.moments.clone()
        engine.advance(moments, Stretch(0, np.full(steps, 3e-3), self.charges, **about))
        return moments

    def gradient(self) -> torch.Tensor:
        """By autograd in double precision, with the charges' subgradient."""
        flat = self.moments.flat.double()
        _, found = task_gradient(self.stack, flat, self.x.double(), self.y.double(), self.loss.function)
        return found + flat.sign() * self.charges


def _normal(shape, draw: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=draw)


def mlp(widths=(4, 20, 20, 2), activation: str = "silu", **more) -> ModelSpec:
    return ModelSpec("mlp", {"widths": list(widths), "activation": activation, **more})


def over_tokens(**sizes) -> ModelSpec:
    about = {"tokens": 7, "copies": 2, "embedding": 6, "widths": [21, 10, 7], "activation": "silu"} | sizes
    return ModelSpec("embedding-mlp", about)


SPECS = {
    **{f"{name}": mlp(activation=name) for name in ("silu", "relu", "tanh", "gelu", "sigmoid")},
    **{"-".join(map(str, widths)): mlp(widths) for widths in WIDTHS},
    "final": mlp(final="tanh"),
    "image": ModelSpec("image-mlp", {"widths": [12, 9, 5, 3], "image": [3, 4], "activation": "silu"}),
    "tokens": over_tokens(),
    "one-token": over_tokens(copies=1, embedding=17, widths=[5]),
    "three-tokens": over_tokens(copies=3, embedding=3, widths=[33, 4]),
}


@built
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("loss", ["mse", "cross-entropy", "bce"])
@pytest.mark.parametrize("name", SPECS)
def test_gradients_are_those_of_double_precision(name, loss, kernel):
    case = Case(SPECS[name], loss)
    wanted = case.gradient()
    found = case.after(case.compiled(kernel=kernel)).first.double() / 0.1  # Adam's first moment after one step
    assert (found - wanted).abs().max() < 2e-6 * wanted.abs().max()


@built
@pytest.mark.parametrize("name", ["silu", "5-1-9-17-3", "tokens"])
def test_adam_takes_the_steps_that_torch_takes(name):
    case = Case(SPECS[name], "mse")
    ours, theirs = (case.after(engine, steps=25) for engine in (case.compiled(), case.reference()))
    for part in ("flat", "first", "second"):
        one, other = getattr(ours, part), getattr(theirs, part)
        assert (one - other).abs().max() < 1e-4 * other.abs().max(), part


@built
@pytest.mark.parametrize("name", ["silu", "tokens"])
def test_batches_are_the_rows_that_are_picked(name):
    case = Case(SPECS[name], "cross-entropy")
    picks = np.random.default_rng(0).integers(0, 37, (10, 3, 11)).astype(np.int32)
    ours, theirs = (case.after(engine, steps=10, picks=picks) for engine in (case.compiled(), case.reference()))
    assert (ours.flat - theirs.flat).abs().max() < 1e-4


@built
def test_data_may_lie_in_any_order():
    case = Case(mlp(), "mse")
    wanted = case.after(case.compiled(), steps=5)
    case.x, case.y, case.charges = (
        part.transpose(0, -1).contiguous().transpose(0, -1) for part in (case.x, case.y, case.charges)
    )
    assert not case.x.is_contiguous()
    assert torch.equal(case.after(case.compiled(), steps=5).flat, wanted.flat)


@built
def test_padded_rows_are_not_read():
    case = Case(mlp(), "mse")
    wanted = case.after(case.compiled(), steps=5)
    case.x = torch.nn.functional.pad(case.x, (0, 0, 0, 11), value=1e9)
    assert torch.equal(case.after(case.compiled(), steps=5).flat, wanted.flat)


@built
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", SPECS)
def test_a_network_is_the_same_alone_and_among_others(name, kernel):
    case = Case(SPECS[name], "mse")
    together = case.after(case.compiled(kernel=kernel), steps=7)
    case.x, case.y, case.charges = case.x[2:], case.y[2:], case.charges[2:]
    case.moments = case.moments.each(lambda tensor: tensor[2:].clone())
    assert torch.equal(case.after(case.compiled(kernel=kernel), steps=7).flat[0], together.flat[2])


@built
def test_threads_change_no_bit():
    case = Case(over_tokens(), "cross-entropy")
    assert torch.equal(case.after(case.compiled(threads=3), 9).flat, case.after(case.compiled(), 9).flat)


def test_threads_of_torch_change_no_bit():
    case = Case(mlp([3, 6, 2]), "mse")
    case.x, case.y, case.charges = (torch.cat([part] * 2) for part in (case.x, case.y, case.charges))
    case.moments = case.moments.each(lambda part: torch.cat([part, part.flip(1)]))
    alone = case.reference()
    picks = np.random.default_rng(0).integers(0, 37, (7, 6, 32)).astype(np.int32)
    one, two = (case.after(replace(alone, threads=n), 7, picks=picks, resting=(4,)) for n in (1, 3))
    assert torch.equal(one.flat, two.flat) and torch.equal(one.second, two.second)
    assert torch.equal(two.flat[4], case.moments.flat[4]) and not torch.equal(two.flat[3], case.moments.flat[3])


def test_a_measurement_on_several_threads_changes_no_bit():
    case = Case(mlp([3, 6, 2]), "mse")
    views, x = case.stack.unpack(case.moments.flat.requires_grad_()), torch.rand(3, 1500, 3)
    one, three = (case.stack.outputs(views, x, threads) for threads in (1, 3))
    assert torch.equal(one, three) and torch.equal(one, case.stack.forward(views, x))
    assert not three.requires_grad


def test_threads_are_for_large_networks():
    small, large = Case(mlp(), "mse"), Case(mlp([30, 300, 300, 5]), "mse", rows=200)
    for case, threads in ((small, 1), (large, 1), (large, 2)):
        count = 4 if threads == 2 else 3
        x, y = (torch.cat([part] * 2)[:count] for part in (case.x, case.y))
        engine = choose_engine("torch", case.spec, case.stack, x, y, case.loss, batch=None, threads=8)
        assert engine.threads == threads and (engine.steps_at_once == 1) == (threads == 1)


@built
def test_what_rests_does_not_move_and_what_is_beyond_the_entries_stays_zero():
    case = Case(mlp(), "mse")
    after = case.after(case.compiled(), steps=5, resting=(1,))
    moved = (after.flat != case.moments.flat).any(dim=1).tolist()
    assert moved == [True, False, True]
    entries = sum(p.numel() for p in build_model(case.spec).parameters())
    assert entries < case.stack.width and not after.flat[:, entries:].any()


@built
@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
def test_what_is_not_finite_stays_so_in_its_own_network(loss):
    case = Case(mlp(), loss)
    case.x[1, 3, 2] = np.nan
    for engine in (case.compiled(), case.reference()):
        assert torch.isfinite(case.after(engine, steps=3).flat).all(dim=1).tolist() == [True, False, True]


@built
def test_rows_and_tokens_that_do_not_exist_are_refused():
    case = Case(over_tokens(), "mse")
    with pytest.raises(ValueError, match="a row or token that does not exist"):
        case.after(case.compiled(), picks=np.full((1, 3, 4), 37, np.int32))
    case.x[2, 5, 1] = 7
    with pytest.raises(ValueError, match="a row or token that does not exist"):
        case.after(case.compiled())


@built
def test_arrays_of_other_sizes_are_refused():
    case = Case(mlp(), "mse")
    engine, moments = case.compiled(), case.moments
    with pytest.raises(ValueError, match="weights of another size"):
        engine.advance(moments, Stretch(0, np.ones(1), case.charges[:2].contiguous()))
    with pytest.raises(ValueError, match="targets of another size"):
        replace(engine, program=_with(engine.program, 7 + 5 * 2 + 1, 1)).advance(
            moments, Stretch(0, np.ones(1), case.charges)
        )
    for place, number in ((7, 5), (9, 10**6), (8, -1), (7 + 5 + 4, 99), (2, 9)):
        damaged = replace(engine, program=_with(engine.program, place, number))
        with pytest.raises(ValueError, match=r"layers that do not fit|not known"):
            damaged.advance(moments, Stretch(0, np.ones(1), case.charges))


def _with(program: np.ndarray, place: int, number: int) -> np.ndarray:
    changed = program.copy()
    changed[place] = number
    return changed


# ---- whole runs


SHORT = Recipe(steps=60, lr=5e-3, relocation=Relocation(every=20))


@built
@pytest.mark.parametrize("make", [independence, modular_addition])
def test_a_short_run_ends_where_torchs_ends(make):
    recipe = SHORT if make is independence else replace(SHORT, batch=64, lr=1e-3)
    ours, theirs = (train(make(), seeds=2, recipe=recipe, engine=engine) for engine in ("compiled", "torch"))
    for one, other in zip(ours.runs, theirs.runs, strict=True):
        for record, wanted in zip(one.records, other.records, strict=True):
            np.testing.assert_allclose(record.train_loss, wanted.train_loss, rtol=1e-3)
            np.testing.assert_allclose(record.cost, wanted.cost, rtol=1e-3)


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_a_checkpoint_says_which_engine_took_its_steps(engine):
    (run,) = train(independence(), seeds=1, recipe=replace(SHORT, steps=2), engine=engine).runs
    assert run.checkpoint.config["engine"] == ("torch" if engine == "torch" or CODE is None else "compiled")


@built
def test_seed_k_is_the_same_network_whichever_are_trained_with_it():
    task = formula_task("y = x1*x2", rows=(33, 20), widths=[2, 7, 1])
    together = train(task, seeds=5, recipe=SHORT, engine="compiled")
    alone = train(task, seeds=[3], recipe=SHORT, engine="compiled")
    one, other = (runs.runs[k].checkpoint.network for runs, k in ((together, 3), (alone, 0)))
    assert one.placement == other.placement
    assert all(np.array_equal(one.tensors[name], other.tensors[name]) for name in one.tensors)


# ---- the choice


def test_auto_takes_torch_where_there_is_no_compiled_code_for_a_model():
    case = Case(ModelSpec("gated-mlp", MODELS["gated-mlp"].options.example().to_json()), "mse")
    assert isinstance(choose_engine("auto", *case._about(), batch=None, threads=1), TorchEngine)
    with pytest.raises(InputError, match=r"no compiled steps for these networks: engine: .*got gated-mlp, loss 'mse'"):
        case.compiled()


@pytest.mark.parametrize("activation", ["mish", "softplus"])
def test_auto_takes_torch_for_rare_activations(activation):
    case = Case(mlp(activation=activation), "mse")
    assert isinstance(choose_engine("auto", *case._about(), batch=None, threads=1), TorchEngine)


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="unknown engine: expected auto, compiled, torch, got fast"):
        choose_engine("fast", *Case(mlp(), "mse")._about(), batch=None, threads=1)


@pytest.mark.parametrize("fault", ["missing", "old"])
def test_without_the_code_torch_serves_and_that_is_said_once(fault, monkeypatch, caplog):
    compiled_module.cache_clear()
    if fault == "missing":
        monkeypatch.setitem(sys.modules, "bimt_train.native._compiled", None)
        monkeypatch.delattr("bimt_train.native._compiled", raising=False)
    else:
        pytest.importorskip("bimt_train.native._compiled")
        monkeypatch.setattr(_load, "VERSION", 0)
    about = Case(mlp(), "mse")._about()
    with caplog.at_level(logging.WARNING):
        chosen = [choose_engine("auto", *about, batch=None, threads=1) for _ in range(3)]
    compiled_module.cache_clear()
    assert all(isinstance(engine, TorchEngine) for engine in chosen) and len(caplog.records) == 1
    assert "compiled code" in caplog.records[0].message
