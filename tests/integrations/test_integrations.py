"""One callback for each of two trainers: the same weights as the cost in the loss gives, and relocation on time."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import bimt_train.integrations
from bimt_train import ConnectionCost, InputError, MissingExtra, Penalty, Phase, Recipe, Relocation
from bimt_train.layouts import Placement

X = torch.randn((48, 6), generator=torch.Generator().manual_seed(0))
Y = torch.stack([X[:, 0] * X[:, 1], X[:, 2] - X[:, 5]], dim=1)
STEPS = 6
RECIPE = Recipe(
    steps=1000,  # the trainers' own steps count
    phases=(Phase(0.0, 1e-2), Phase(0.5, 3e-2, biases=True)),
    cost=ConnectionCost(l0=0.3, scale=2.0),
    relocation=Relocation(every=0),
)


class Net(nn.Module):
    """A chain and its loss, as Hugging Face's models give it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.chain = nn.Sequential(nn.Linear(6, 9), nn.SiLU(), nn.Linear(9, 2))

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": nn.functional.mse_loss(self.chain(x), labels)}


def by_hand(*, gather: int = 2, clip: float = 0.0, every: int = STEPS + 1) -> tuple[Net, Penalty]:
    """The oracle: SGD on mean loss over the batches of a step plus lambda times cost, by autograd."""
    net = Net()
    penalty = Penalty.of(net.chain, replace(RECIPE, steps=STEPS))
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    batches = [slice(4 * k, 4 * k + 4) for k in range(STEPS * gather)]
    for step in range(STEPS):
        optimiser.zero_grad()
        for rows in batches[step * gather : (step + 1) * gather]:
            (net(X[rows], Y[rows])["loss"] / gather).backward()
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        late = step >= STEPS / 2
        ((3e-2 if late else 1e-2) * penalty.cost(net.chain, biases=late)).backward()
        optimiser.step()
        if (step + 1) % every == 0:
            penalty = penalty.relocated(net.chain)
    return net, penalty


def agree(net: nn.Module, other: nn.Module) -> None:
    for (name, p), q in zip(net.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6, msg=lambda said, name=name: f"{name}: {said}")


# ---- Hugging Face


def trained(folder: Path, recipe: Recipe, **options: object) -> tuple[Net, Penalty]:
    transformers = pytest.importorskip("transformers", reason="its Trainer is tested")
    pytest.importorskip("accelerate", reason="Trainer needs it")

    class InOrder(transformers.Trainer):
        def _get_train_sampler(self, *_: object) -> torch.utils.data.SequentialSampler:
            return torch.utils.data.SequentialSampler(self.train_dataset)

    given = {
        "max_grad_norm": 0.0,
        "max_steps": STEPS,
        "gradient_accumulation_steps": 2,
        "save_strategy": "no",
    } | options
    arguments = transformers.TrainingArguments(
        str(folder), per_device_train_batch_size=4, learning_rate=0.1, lr_scheduler_type="constant", optim="sgd",
        use_cpu=True, report_to="none", disable_tqdm=True, logging_strategy="no", seed=0, **given | options,
    )  # fmt: skip
    rows = [{"x": x, "labels": y} for x, y in zip(X, Y, strict=True)]
    callback, net = bimt_train.integrations.TrainerPenalty(recipe, part="chain"), Net()
    trainer = InOrder(net, arguments, train_dataset=rows, callbacks=[callback])
    trainer.train(resume_from_checkpoint=bool(options.get("ignore_data_skip")))
    return net, callback.penalty


def test_trainer_counts_the_cost_once_a_step(tmp_path: Path) -> None:
    net, penalty = trained(tmp_path, RECIPE)
    agree(net, by_hand()[0])
    assert penalty.recipe.steps == STEPS
    assert penalty.placement == Placement.identity(penalty.layout)


def test_trainer_clips_the_gradient_of_the_loss_alone(tmp_path: Path) -> None:
    net = trained(tmp_path, RECIPE, max_grad_norm=1e-2)[0]
    agree(net, by_hand(clip=1e-2)[0])
    assert not torch.allclose(net.chain[0].weight, by_hand()[0].chain[0].weight, rtol=1e-5, atol=1e-6)  # clipping tells


@pytest.mark.parametrize("every", [4, STEPS])
def test_trainer_relocates_every_few_steps(every: int, tmp_path: Path) -> None:
    net, penalty = trained(tmp_path, replace(RECIPE, relocation=Relocation(every=every)))
    other, expected = by_hand(every=every)
    agree(net, other)
    assert penalty.placement == expected.placement != Placement.identity(penalty.layout)


def test_trainer_deals_the_neurons_of_a_resumed_run_by_their_weights(tmp_path: Path) -> None:
    trained(tmp_path, RECIPE, save_strategy="steps", save_steps=3, max_steps=3)
    _, penalty = trained(tmp_path, RECIPE, ignore_data_skip=True, save_strategy="steps", save_steps=3)
    assert penalty.placement != Placement.identity(penalty.layout)


# ---- Lightning


def fitted(recipe: Recipe, *, optimisers: int = 1, **options: object) -> tuple[Net, Penalty]:
    lightning = pytest.importorskip("lightning", reason="its Trainer is tested")

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = Net()
            self.automatic_optimization = optimisers == 1

        def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
            return self.net(*batch)["loss"]

        def configure_optimizers(self) -> list[torch.optim.Optimizer]:
            return [torch.optim.SGD(self.parameters(), 0.1) for _ in range(optimisers)]

    callback, module = bimt_train.integrations.LightningPenalty(recipe, part="net.chain"), Module()
    given = {"max_steps": STEPS, "accumulate_grad_batches": 2 if optimisers == 1 else 1}
    trainer = lightning.Trainer(
        accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback], **given | options,
    )  # fmt: skip
    rows = torch.utils.data.TensorDataset(X, Y)
    trainer.fit(module, torch.utils.data.DataLoader(rows, batch_size=4))
    return module.net, callback.penalty


def test_lightning_counts_the_cost_once_a_step() -> None:
    net, penalty = fitted(RECIPE)
    agree(net, by_hand()[0])
    assert penalty.recipe.steps == STEPS
    assert penalty.placement == Placement.identity(penalty.layout)


@pytest.mark.parametrize("every", [4, STEPS])
def test_lightning_relocates_every_few_steps(every: int) -> None:
    net, penalty = fitted(replace(RECIPE, relocation=Relocation(every=every)))
    other, expected = by_hand(every=every)
    agree(net, other)
    assert penalty.placement == expected.placement != Placement.identity(penalty.layout)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimisers": 2}, "LightningPenalty takes one optimiser: expected 1, got 2; hint: use Penalty in a loop"),
        ({"max_steps": -1, "max_epochs": -1}, "phases need the number of steps: LightningPenalty: got inf; hint: give"),
    ],
)
def test_lightning_says_what_it_cannot_do(options: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        fitted(RECIPE, **options)


# ---- without the packages


@pytest.mark.parametrize(
    ("module", "package", "name"),
    [("_trainer", "transformers", "TrainerPenalty"), ("_lightning", "lightning.pytorch", "LightningPenalty")],
)
def test_a_missing_package_is_said_in_one_line(
    module: str, package: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in (package, package.partition(".")[0]):
        monkeypatch.setitem(sys.modules, part, None)
    monkeypatch.delitem(sys.modules, f"bimt_train.integrations.{module}", raising=False)
    monkeypatch.delattr(bimt_train.integrations, name, raising=False)
    extra = package.partition(".")[0]
    said = rf"{name} needs the package {extra}, which is not installed; hint: pip install 'bimt\[{extra}\]'"
    with pytest.raises(MissingExtra, match=said):
        getattr(bimt_train.integrations, name)


def test_neither_package_is_imported_before_it_is_used() -> None:
    program = (
        "import bimt_train, sys\n"
        "assert dir(bimt_train.integrations) == ['LightningPenalty', 'Penalty', 'TrainerPenalty']\n"
        "sys.exit(str({'torch', 'transformers', 'lightning'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
