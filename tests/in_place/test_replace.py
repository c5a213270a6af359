"""A submodule replaced: what changes, what stays, what can be trained, saved and read back."""

import copy
import io

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from bimt_analyze.export import compact
from bimt_analyze.in_place import LookupTable, read_back, replace
from bimt_analyze.synthetic import block_network
from bimt_train import InputError

X = torch.linspace(-1, 1, 60).reshape(30, 2)
LARGER = sympy.Max(sympy.Symbol("x1"), sympy.Symbol("x2") / 2)


class Twice(nn.Module):
    """A submodule that stands under two names and is called three times."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2))
        self.mean = nn.BatchNorm1d(2)
        self.head = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.mean(self.second(self.first(x)) + self.first(-x)))


def model(seed: int = 0) -> Twice:
    torch.manual_seed(seed)
    return Twice()


def written(linear: nn.Linear) -> list[str]:
    """The outputs of a linear layer as formulas, by hand."""
    rows = zip(linear.weight.tolist(), linear.bias.tolist(), strict=True)
    return [f"{b!r} + " + " + ".join(f"({w!r})*x{i}" for i, w in enumerate(row, 1)) for row, b in rows]


def test_a_layer_written_as_its_own_formulas_changes_nothing() -> None:
    before = model()
    kept = copy.deepcopy(before.state_dict())
    found = replace(before, "head", by=written(before.head), x=X, measure=False)
    assert found.loss[1] < 1e-12 and found.departure < 1e-6 and found.loss[0] == 0
    assert all(torch.equal(value, kept[name]) for name, value in before.state_dict().items())
    assert all(module.training for module in before.modules())
    rest = [name for name in kept if not name.startswith("head.")]
    assert [name for name in found.model.state_dict() if "head." not in name] == rest
    assert not {id(p) for p in before.parameters()} & {id(p) for p in found.model.parameters()}


def test_every_use_of_a_module_is_replaced_and_its_rows_are_those_of_all_calls() -> None:
    before = model()
    by_name, itself = (replace(before, at, by=["x1", "x2"], x=X, measure=False) for at in ("second", before.first))
    assert by_name.names == itself.names == ("first", "second")
    assert by_name.model.first is by_name.model.second is by_name.layer
    plain = before.head.eval()(before.mean.eval()(X - X))
    before.train()
    torch.testing.assert_close(by_name.model.eval()(X), plain)


def test_losses_are_those_of_the_targets_that_are_passed() -> None:
    before, y = model(), np.ones((30, 1))
    found = replace(before, "head", by="0*x1 + 3", x=X, y=y, measure=False)
    own = float((before.eval()(X).detach() - 1).square().mean())
    assert found.loss == (pytest.approx(own), pytest.approx(4.0))
    absolute = replace(before, "head", by="3", x=X, y=y, loss=lambda a, b: (a - b).abs().sum(), measure=False)
    assert absolute.loss[1] == pytest.approx(60.0)


def test_runs_are_timed() -> None:
    found = replace(model(), "head", by="x1 + x2", x=X)
    assert min(*found.seconds, *found.place_seconds) > 0
    assert found.seconds[0] > found.place_seconds[0]
    assert "ms a run" in "; ".join(found.lines())


def test_numbers_are_trained_and_read_back_in_the_names_given() -> None:
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    x = torch.rand(80, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = torch.exp(-1.5 * x[:, :1]) * torch.sin(torch.pi * x[:, 1:])
    found = replace(net, "", by={"u": "exp(-1.2*t)*sin(pi*x)"}, inputs=["t", "x"], x=x, y=y, measure=False)
    assert str(found.read_back()["u"]) == "exp(-6*t/5)*sin(pi*x)"
    optimiser = torch.optim.LBFGS(found.layer.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = nn.functional.mse_loss(found.model(x), y)
        value.backward()
        return value

    optimiser.step(closure)
    numbers = sorted(float(n) for n in found.read_back()["u"].atoms(sympy.Float))
    assert numbers == [pytest.approx(-1.5, abs=1e-3), pytest.approx(np.pi, abs=1e-3)]
    assert {str(s) for s in found.read_back()["u"].free_symbols} == {"t", "x"}


def test_it_is_saved_loaded_and_exported() -> None:
    found = replace(model(), "first", by=["x1*x2 + pi", LARGER], x=X, measure=False).model.eval()
    file = io.BytesIO()
    torch.save(found, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    assert read_back(again) == read_back(found) and "pi" in str(read_back(again)["first"]["y1"])
    torch.testing.assert_close(again(X), found(X))
    by = ["x1*x2 + 1", LARGER.subs(sympy.Rational(1, 2), 3)]
    other = replace(model(1), "first", by=by, x=X, measure=False).model.eval()
    other.load_state_dict(found.state_dict())
    torch.testing.assert_close(other(X), found(X))


def test_torch_exports_it() -> None:
    by = ["x1*x2 + exp(x1)", LARGER]
    found = replace(model(), "first", by=by, x=X, measure=False).model.eval()
    program = torch.export.export(found, (X,), dynamic_shapes=({0: torch.export.Dim("rows")},)).module()
    torch.testing.assert_close(program(X[:7]), found(X[:7]))


@pytest.mark.parametrize("precision", [torch.float64, torch.bfloat16])
def test_the_layer_has_the_precision_of_its_place(precision: torch.dtype) -> None:
    found = replace(model().to(precision), "head", by="2*x1 + sin(pi*x2)", x=X, measure=False)
    assert {p.dtype for p in found.layer.parameters()} == {precision}
    assert found.model(X.to(precision)).dtype == precision
    assert str(found.read_back()["y1"]) == "2*x1 + sin(pi*x2)"  # rounded numbers are still those that were given


def test_a_circuit_in_its_place() -> None:
    network = block_network(blocks=[(2, 3, 1)] * 2, seed=0).network
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(2, 1))
    x = torch.rand(5, 6, 3)
    for by in (network, compact(network)):
        found = replace(net, "1", by=by, x=x, measure=False)
        read = net[0](x).detach().numpy().reshape(30, 4).astype(np.float64)
        given = found.layer(net[0](x)).detach().numpy()
        np.testing.assert_allclose(given, network.predict(read).reshape(5, 6, 2), atol=1e-5)
        assert found.parameters[1] > 0
    with pytest.raises(InputError, match="does not fit: '0': expected 3 inputs and 4 outputs, got 4 inputs and 2"):
        replace(net, "0", by=network, x=x)


def test_a_table_in_its_place() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    table = LookupTable.of(net, "1", x=X, points=60)
    assert replace(net, "1", by=table, x=X, measure=False).departure < 1e-3


REFUSED = {
    "no such submodule: heat: expected one of .*; hint: did you mean head": ("heat", "x1"),
    "a module that is not part of the model: got Linear": (nn.Linear(2, 2), "x1"),
    "formulas that do not fit: 'head': expected 1, one for each output, got 2": ("head", ["x1", "x2"]),
    "a formula of unknown inputs: q: expected names among x1, x2": ("head", "q"),
    "nothing that can stand in a model: by: .* got float": ("head", 3.0),
    "no formula: by: .* got int": ("head", [3]),
    "a layer that does not fit: 'head': .* got \\(3, 4\\)": ("head", nn.Linear(2, 4)),
    "a layer that cannot be run in its place": ("head", nn.Linear(3, 1)),
    "a number that the precision of the place cannot hold: .* float32, got 1e-60": ("head", "x1*1e-60"),
    "a formula that is not finite: 'head': .*log\\(x1 - 7\\) needs x1 - 7 above 0": ("head", "log(x1 - 7)"),
    "functions that torch does not have: gamma\\(x1\\): got gamma": ("head", sympy.gamma(sympy.Symbol("x1"))),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(said: str) -> None:
    where, by = REFUSED[said]
    with pytest.raises(InputError, match=said) as caught:
        replace(model(), where, by=by, x=X)
    assert "\n" not in str(caught.value)


def test_names_and_rows_that_do_not_fit() -> None:
    for names in (["a"], ["a", "a"]):
        with pytest.raises(InputError, match="names that do not fit: inputs of 'head': expected 2 different names"):
            replace(model(), "head", by="1", x=X, inputs=names)
    with pytest.raises(InputError, match="cannot be run on these rows"):
        replace(model(), "head", by="x1", x=torch.ones(3, 5))
    with pytest.raises(InputError, match="not called"):
        idle = model()
        idle.idle = nn.Linear(1, 1)
        replace(idle, "idle", by="x1", x=X)
    with pytest.raises(InputError, match=r"of other shapes.*\(30, 2\) to \(60,\)"):
        replace(nn.Sequential(nn.Flatten(0)), "0", by="x1", x=X)
    with pytest.raises(InputError, match="no formula in the model"):
        read_back(model())
    with pytest.raises(InputError, match="a loss that cannot be computed"):
        replace(model(), "head", by="x1", x=X, y=torch.ones(30, 1), loss=lambda a, b: a - b)


def test_what_is_close_to_undefined_is_told() -> None:
    net = nn.Sequential(nn.Identity())
    pole = replace(nn.Sequential(nn.Linear(2, 1)), "0", by="1/(x1 - 0.01)", x=X, measure=False)
    assert pole.edges == ("1/(x1 - 1/100) has a pole where x1 - 1/100 is 0, which it passes between the rows",)
    rooted = replace(net, "0", by=["sqrt(x1)", "x2"], x=torch.tensor([[0.0, 1.0], [4.0, 1.0]]), measure=False)
    assert rooted.edges == ("the gradient is not finite on 1 of 2 rows",)
    assert replace(net, "0", by=["x1", "exp(x2)"], x=X, measure=False).edges == ()


def test_rows_by_name_and_by_position() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pair = nn.Linear(2, 1)

        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return self.pair(torch.stack([a, b], dim=-1))

    a, b = X.T
    for x in ((a, b), {"b": b, "a": a}):
        found = replace(Two(), "pair", by="x1 - x2", x=x, measure=False)
        torch.testing.assert_close(found.model(a, b)[:, 0], a - b)
