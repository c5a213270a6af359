"""The cost in loops that are not ours: its gradient is that of the cost, and relocation keeps its hours."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bimt_train import ConnectionCost, LayoutError, Penalty, Phase, Recipe, Relocation
from bimt_train.layouts import Placement, layout_for

X = torch.randn((32, 6), generator=torch.Generator().manual_seed(0))
Y = torch.stack([X[:, 0] * X[:, 1], X[:, 2] - X[:, 5]], dim=1)
RECIPE = Recipe(
    steps=40,
    phases=(Phase(0.0, 1e-2), Phase(0.5, 3e-2, biases=True)),
    cost=ConnectionCost(l0=0.3, scale=2.0),
    relocation=Relocation(every=10),
)


def chain(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 9), nn.LayerNorm(9), nn.SiLU(), nn.Linear(9, 2))


def encoder() -> nn.Module:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(12, 3, 7, batch_first=True, dropout=0.0)
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)


def tied() -> nn.Module:
    transformers = pytest.importorskip("transformers", reason="decoders are those of the extra 'transformers'")
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=11, n_positions=8, n_embd=12, n_layer=1, n_head=3, bos_token_id=0)
    return transformers.GPT2LMHeadModel(config)


MODULES = {"chain": chain, "encoder": encoder, "tied decoder": tied}


def loss(module: nn.Module) -> torch.Tensor:
    return nn.functional.mse_loss(module(X), Y)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_cost_is_the_cost(name: str, reduction: str) -> None:
    module, cost = MODULES[name](), ConnectionCost(l0=0.3, scale=2.0, reduction=reduction)
    penalty = Penalty.of(module, replace(RECIPE, cost=cost))
    tensors = {n: p.detach().numpy() for n, p in module.named_parameters()}
    for biases in (False, True):
        expected = cost.value(penalty.layout, penalty.placement, tensors, biases=biases)
        assert penalty.cost(module, biases=biases).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(("step", "strength", "biases"), [(19, 1e-2, False), (20, 3e-2, True)])
def test_the_gradient_is_that_of_the_cost(name: str, step: int, strength: float, biases: bool) -> None:
    module = MODULES[name]()
    penalty = Penalty.of(module, RECIPE).relocated(module)
    with torch.no_grad():
        next(module.parameters())[0] = 0.0  # where |w| has a kink
    (strength * penalty.cost(module, biases=biases)).backward()
    expected = {n: torch.zeros_like(p) if p.grad is None else p.grad for n, p in module.named_parameters()}
    given = {n: torch.randn_like(p) for n, p in module.named_parameters()}
    for start in (None, given):
        for n, p in module.named_parameters():
            p.grad = None if start is None else start[n].clone()
        penalty.add_gradients(module, step)
        for n, p in module.named_parameters():
            found = torch.zeros_like(p) if p.grad is None else p.grad
            before = torch.zeros_like(p) if start is None else start[n]
            torch.testing.assert_close(found, before + expected[n], rtol=1e-6, atol=1e-6)
    assert any(g.abs().max() > 1e-3 for g in expected.values())


def test_a_loop_with_it_is_the_loop_on_loss_and_cost() -> None:
    ours, theirs = chain(), chain()
    penalty = Penalty.of(ours, RECIPE)
    twin = penalty
    first, second = torch.optim.Adam(ours.parameters(), 1e-2), torch.optim.Adam(theirs.parameters(), 1e-2)
    for step in range(RECIPE.steps):
        first.zero_grad()
        loss(ours).backward()
        penalty.add_gradients(ours, step)
        first.step()
        penalty = penalty.after_step(ours, step)

        second.zero_grad()
        phase = RECIPE.phase_at(step)
        (loss(theirs) + phase.strength * twin.cost(theirs, biases=phase.biases)).backward()
        second.step()
        if step % 10 == 9:
            twin = twin.relocated(theirs)
    assert penalty.placement == twin.placement != Placement.identity(penalty.layout)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-5)


def test_relocation_lowers_the_cost_and_touches_no_weight() -> None:
    module = chain()
    before = {n: t.clone() for n, t in module.state_dict().items()}
    penalty = Penalty.of(module, RECIPE)
    moved = penalty.relocated(module)
    assert moved.cost(module) < penalty.cost(module)
    assert penalty.placement == Placement.identity(penalty.layout)
    assert all(torch.equal(t, before[n]) for n, t in module.state_dict().items())


def test_relocation_keeps_its_hours() -> None:
    module = chain()
    penalty = Penalty.of(module, RECIPE)
    assert all(penalty.after_step(module, step) is penalty for step in (0, 8, 10))
    assert penalty.after_step(module, 9) == penalty.relocated(module) != penalty
    never = Penalty.of(module, replace(RECIPE, relocation=Relocation(every=0)))
    assert never.after_step(module, 9) is never


def test_weights_that_are_not_finite_leave_neurons_where_they_are() -> None:
    module = chain()
    penalty = Penalty.of(module, RECIPE)
    with torch.no_grad():
        module[0].weight[0, 0] = torch.nan
    assert penalty.relocated(module) is penalty


def test_what_is_not_trained_pays_nothing() -> None:
    module = chain()
    module[0].requires_grad_(False)
    Penalty.of(module, RECIPE).add_gradients(module, 0)
    assert module[0].weight.grad is None
    assert module[3].weight.grad is not None


def test_half_precision_is_charged_in_its_own() -> None:
    module = chain().bfloat16()
    penalty = Penalty.of(module, RECIPE).relocated(module)
    penalty.add_gradients(module, 0)
    assert module[0].weight.grad.dtype == torch.bfloat16


def test_edges_are_weights_above_the_threshold() -> None:
    module = chain()
    nn.init.zeros_(module[0].weight)
    nn.init.constant_(module[3].weight, -0.5)
    penalty = Penalty.of(module, RECIPE)
    assert (penalty.edges(module), penalty.edges(module, threshold=0.6)) == (18, 0)


def test_a_layout_of_another_module_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"declared tensors that the module does not have: .*in_proj_weight"):
        Penalty.of(nn.Sequential(), RECIPE, layout=layout_for(encoder()))
    with pytest.raises(LayoutError, match="no layout is known for this module"):
        Penalty.of(nn.Conv2d(1, 1, 1), RECIPE)
    with pytest.raises(LayoutError, match="the groups of a placement are not those of the layout"):
        Penalty.of(chain(), RECIPE, placement=Placement({}))
