"""Training: seeds in company, the five types, interrupts, resuming, divergence."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import InputError, Phase, Recipe, Relocation, Snapshots, default_recipe, train
from bimt_train.checkpoints import load_checkpoint
from bimt_train.losses._mean_squared_error import mean_squared_error
from bimt_train.models import MLP
from bimt_train.tasks import formula_task, independence, two_moons
from bimt_train.training import Callback, Record
from bimt_train.training._stack import Stack
from bimt_train.training.engines._engine import Moments
from bimt_train.training.engines._torch_engine import adam_step, task_gradient

SHORT = Recipe(steps=60, lr=5e-3, relocation=Relocation(every=10))


def same_networks(a, b) -> bool:
    return a.placement == b.placement and all((a.tensors[name] == b.tensors[name]).all() for name in a.tensors)


@pytest.mark.parametrize(("rows", "widths"), [(100, (4, 20, 20, 2)), (37, (3, 7, 5, 1))])
def test_a_seed_gives_the_same_network_in_any_company(rows, widths):
    formulas = ["(x1+x3)**3", "x2**2+x4"] if widths[0] == 4 else ["x1*x2+x3"]
    task = formula_task(formulas, rows=(rows, rows), widths=widths)
    together = train(task, seeds=16, recipe=SHORT)
    for seed in (0, 3, 15):
        alone = train(task, seeds=[seed], recipe=SHORT)
        ours, theirs = (runs.runs[i].checkpoint.network for runs, i in ((together, seed), (alone, 0)))
        assert ours.placement == theirs.placement
        for name in ours.tensors:
            np.testing.assert_allclose(ours.tensors[name], theirs.tensors[name], atol=1e-6)


def test_a_seed_of_the_papers_task_is_the_same_to_the_last_bit():
    together, alone = (train(independence(), seeds=seeds, recipe=SHORT) for seeds in (16, [15]))
    assert same_networks(together.runs[15].checkpoint.network, alone.runs[0].checkpoint.network)


def test_seeds_differ_from_each_other():
    runs = train(independence(), seeds=2, recipe=SHORT).runs
    assert not same_networks(runs[0].checkpoint.network, runs[1].checkpoint.network)


def test_a_step_is_adam_on_the_whole_loss():
    """The oracle is torch.optim.Adam on task loss plus lambda times the cost, by autograd, one network at a time."""
    torch.manual_seed(0)
    modules = [MLP([3, 5, 2], generator=torch.Generator().manual_seed(s)) for s in range(3)]
    x, y = torch.randn(3, 11, 3), torch.randn(3, 11, 2)
    stack = Stack.of(modules[0], x[0])
    charge = torch.rand(3, stack.width) * 1e-2
    moments = Moments.start(stack.pack([dict(m.named_parameters()) | {} for m in map(detached, modules)]))
    optimisers = [torch.optim.Adam(m.parameters(), lr=3e-3) for m in modules]
    for step in range(20):
        losses, gradient = task_gradient(stack, moments.flat, x, y, mean_squared_error)
        adam_step(moments, gradient, charge, lr=3e-3, step=step, frozen=None)
        for seed, (module, optimiser) in enumerate(zip(modules, optimisers, strict=True)):
            optimiser.zero_grad()
            prices = stack.unpack(charge)
            paid = sum((p.abs() * prices[name][seed]).sum() for name, p in module.named_parameters())
            loss = nn.functional.mse_loss(module(x[seed]), y[seed])
            assert losses[seed].item() == pytest.approx(loss.item(), rel=1e-4)
            (loss + paid).backward()
            optimiser.step()
    for seed, module in enumerate(modules):
        for name, trained in module.named_parameters():
            np.testing.assert_allclose(stack.unpack(moments.flat)[name][seed], trained.detach(), atol=2e-5)


def detached(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    copy = MLP(module.widths)
    copy.load_state_dict(module.state_dict())
    for parameter in copy.parameters():
        parameter.requires_grad_(False)
    for parameter in module.parameters():
        parameter.requires_grad_(True)
    return copy


def test_any_module_can_be_stacked():
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    stack = Stack.of(module, torch.zeros(2, 3))
    flat = stack.pack([{name: p.detach() for name, p in module.named_parameters()}] * 2)
    x = torch.randn(2, 5, 3)
    np.testing.assert_allclose(stack.forward(stack.unpack(flat), x).detach(), module(x).detach(), atol=1e-6)


def test_vanilla_pays_nothing_and_moves_nothing():
    plain = train(independence(), seeds=2, recipe=SHORT, kind="vanilla")
    network = plain.runs[0].checkpoint.network
    assert all(list(slots) == sorted(slots) for slots in network.placement.slots.values())
    assert SHORT.as_type("vanilla").phase_at(30).strength == 0


def test_the_five_types_differ_as_the_paper_says():
    types = {kind: SHORT.as_type(kind) for kind in ("vanilla", "l1", "l1+local", "l1+swap", "bimt")}
    said = {k: (r.phases[1].strength > 0, r.cost.local, r.relocates_after(9)) for k, r in types.items()}
    assert said == {
        "vanilla": (False, False, False),
        "l1": (True, False, False),
        "l1+local": (True, True, False),
        "l1+swap": (True, False, True),
        "bimt": (True, True, True),
    }
    with pytest.raises(InputError, match="unknown training type"):
        SHORT.as_type("l2")


def test_relocation_lowers_the_cost_of_training():
    with_moves, without = (train(independence(), seeds=4, recipe=SHORT, kind=k) for k in ("bimt", "l1+local"))
    last = [runs.runs[0].records[-1].cost for runs in (with_moves, without)]
    assert (last[0] < last[1]).all()


class Interrupter(Callback):
    def __init__(self, at: int) -> None:
        self.at = at

    def on_record(self, record: Record) -> None:
        if record.step == self.at:
            raise KeyboardInterrupt


def test_an_interrupted_run_is_usable_and_resumes_to_the_same_weights(tmp_path):
    unbroken = train(independence(), seeds=3, recipe=SHORT)
    broken = train(independence(), seeds=3, recipe=SHORT, out=tmp_path, callbacks=[Interrupter(31)])
    assert broken.interrupted
    assert load_checkpoint(tmp_path / "seed-001.safetensors").config["steps_done"] == 30
    resumed = train(independence(), seeds=3, recipe=SHORT, out=tmp_path, resume=True)
    assert not resumed.interrupted
    for a, b in zip(unbroken.runs, resumed.runs, strict=True):
        assert same_networks(a.checkpoint.network, b.checkpoint.network)
        assert a.history == b.history


def test_a_classifier_that_goes_on_remembers_how_often_it_was_right(tmp_path):
    unbroken = train(two_moons(), seeds=2, recipe=SHORT)
    train(two_moons(), seeds=2, recipe=SHORT, out=tmp_path, callbacks=[Interrupter(31)])
    resumed = train(two_moons(), seeds=2, recipe=SHORT, out=tmp_path, resume=True)
    assert [run.history for run in resumed.runs] == [run.history for run in unbroken.runs]
    assert all("accuracy" in one for one in resumed.runs[0].history)


def test_resuming_refuses_another_recipe_other_seeds_and_nothing(tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        train(independence(), seeds=2, recipe=SHORT, resume=True)
    train(independence(), seeds=2, recipe=SHORT, out=tmp_path)
    with pytest.raises(InputError, match="other seeds"):
        train(independence(), seeds=3, recipe=SHORT, out=tmp_path, resume=True)
    with pytest.raises(InputError, match=r"other recipe.*0\.005.*0\.007"):
        train(independence(), seeds=2, recipe=replace(SHORT, lr=7e-3), out=tmp_path, resume=True)
    (tmp_path / "state.safetensors").write_bytes(b"cut")
    with pytest.raises(InputError, match="cannot be read"):
        train(independence(), seeds=2, recipe=SHORT, out=tmp_path, resume=True)


class Fates(Callback):
    def __init__(self) -> None:
        self.fallen: list[int] = []

    def on_diverged(self, seed: int, step: int) -> None:
        self.fallen.append(seed)


def test_a_seed_that_diverges_rests_and_the_others_go_on_unharmed():
    """One seed's targets are beyond what single precision can square."""
    task = independence()

    def poisoned(seed: int):
        data = task.sampler(seed)
        return replace(data, y_train=data.y_train * 1e30) if seed == 1 else data

    fates = Fates()
    sick = train(replace(task, sampler=poisoned), seeds=3, recipe=SHORT, callbacks=[fates])
    well = train(task, seeds=3, recipe=SHORT)
    assert fates.fallen == [1]
    assert sick.runs[1].diverged_at is not None
    assert all(np.isfinite(t).all() for t in sick.runs[1].checkpoint.network.tensors.values())
    assert sick.ranked()[-1].seed == 1
    for seed in (0, 2):
        assert same_networks(sick.runs[seed].checkpoint.network, well.runs[seed].checkpoint.network)


def test_batches_depend_on_the_seed_alone():
    recipe = replace(SHORT, batch=16)
    together, alone = (train(independence(), seeds=s, recipe=recipe) for s in ([0, 5], [5]))
    assert same_networks(together.runs[1].checkpoint.network, alone.runs[0].checkpoint.network)


def test_callbacks_hear_of_everything(tmp_path):
    class Listener(Callback):
        heard: Sequence[str] = ()

        def __getattribute__(self, name: str):
            if name.startswith("on_"):
                self.heard = (*self.heard, name)
            return super().__getattribute__(name)

    listener = Listener()
    train(independence(), seeds=1, recipe=SHORT, callbacks=[listener], out=tmp_path)
    assert listener.heard[:2] == ("on_folder", "on_start")
    assert listener.heard[-1] == "on_end"
    assert listener.heard.count("on_record") == 60
    assert listener.heard.count("on_networks") == 61
    assert {name for name in vars(Callback) if name.startswith("on_")} == {
        "on_folder", "on_start", "on_record", "on_networks", "on_diverged", "on_interrupt", "on_end",
    }  # fmt: skip


def test_snapshots_are_the_networks_that_were_measured():
    kept = Snapshots()
    runs = train(independence(), seeds=[3, 5], recipe=SHORT, callbacks=[kept])
    for run in runs.runs:
        taken = kept.of(run.seed)
        assert [s.step for s in taken] == [0, *(record.step for record in run.records)]
        assert same_networks(taken[-1].network, run.checkpoint.network)
        for snapshot, measured in zip(taken[1:], run.history, strict=True):
            network = snapshot.network
            cost = SHORT.cost.value(network.layout, network.placement, network.tensors)
            assert measured["cost"] == pytest.approx(cost, rel=1e-5)
    assert kept.of(0) == ()


def test_runs_are_saved_best_first(tmp_path):
    runs = train(independence(), seeds=4, recipe=SHORT, out=tmp_path)
    said = json.loads((tmp_path / "runs.json").read_text())
    losses = [record["test_loss"] for record in said["records"]]
    assert losses == sorted(losses)
    assert said["task"] == "independence"
    assert {"seed", "train_loss", "test_loss", "cost", "edges", "file", "seconds"} <= set(said["records"][0])
    assert (tmp_path / said["records"][0]["file"]).exists()
    assert runs.best.seed == said["records"][0]["seed"]


def test_the_recorded_cost_is_the_cost():
    run = train(independence(), seeds=2, recipe=SHORT).runs[1]
    network = run.checkpoint.network
    expected = SHORT.cost.value(network.layout, network.placement, network.tensors)
    assert run.history[-1]["cost"] == pytest.approx(expected, rel=1e-5)


def test_the_callers_torch_settings_come_back():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    train(independence(), seeds=1, recipe=replace(SHORT, steps=2))
    assert torch.get_num_threads() == threads
    assert (torch.random.get_rng_state() == state).all()


@pytest.mark.parametrize("seeds", [0, [], [1, 1], [-1]])
def test_seeds_that_cannot_be_used(seeds):
    with pytest.raises(InputError, match="seeds cannot be used"):
        train(independence(), seeds=seeds, recipe=SHORT)


def test_recipes_refuse_nonsense():
    with pytest.raises(InputError, match="phases must follow each other"):
        Recipe(phases=(Phase(0.5, 1.0),))
    with pytest.raises(InputError, match="positive"):
        Recipe(lr=0.0)
    with pytest.raises(InputError, match="positive"):
        Recipe(steps=0)


def test_schedules_by_hand():
    recipe = Recipe(steps=100, lr=1.0, decay_from=0.5, final_lr=0.1)
    assert [recipe.phase_at(step).strength for step in (0, 24, 25, 74, 75, 99)] == [1e-3, 1e-3, 1e-2, 1e-2, 1e-3, 1e-3]
    assert [recipe.phase_at(step).biases for step in (74, 75)] == [False, True]
    assert [round(recipe.lr_at(step), 6) for step in (0, 50, 75)] == [1.0, 1.0, 0.55]
    assert recipe.lr_at(100) == pytest.approx(0.1)
    assert [step for step in range(500) if recipe.relocates_after(step)] == [199, 399]
    assert default_recipe(independence()).phases[-1].biases


def test_measurements_take_no_longer_than_the_steps():
    def steps(recipe: Recipe) -> list[int]:
        return [one["step"] for one in train(independence(), seeds=1, recipe=recipe).runs[0].history]

    assert steps(replace(SHORT, steps=20)) == list(range(1, 21))  # 200 rows measured, 3 times 100 for a step
    assert steps(replace(SHORT, steps=20, batch=10)) == [7, 14, 20]  # 3 times 10 for a step


def test_of_many_rows_a_measurement_looks_at_some(monkeypatch):
    from bimt_train.training import _setting

    task, recipe = independence(), Recipe(steps=2, lr=1e-3)
    monkeypatch.setattr(_setting, "MEASURED_ROWS", 40)  # of 100 rows every third
    run = train(task, seeds=[3], recipe=recipe).runs[0]
    data = task.data(3)
    x, y = task.spec.to_network_inputs(data.x_train[::3]), task.spec.to_network_targets(data.y_train[::3])
    expected = np.mean(np.square(run.checkpoint.network.predict(x) - y))
    assert run.history[-1]["train_loss"] == pytest.approx(expected, rel=1e-5)
