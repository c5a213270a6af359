"""Whether a network does its task is said first, and nothing is claimed of one that does not."""

import numpy as np
import pytest
import torch
from torch import nn

from bimt_analyze import AnalysisOptions, analyze
from bimt_analyze._circuit_of import circuit_to_analyse
from bimt_analyze.report._network_fit import NetworkFit
from bimt_train.checkpoints import from_state_dict

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (200, 2))
Y = 2 * X[:, :1] + X[:, 1:]


def module(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double()


def trained() -> nn.Sequential:
    net, x, y = module(), torch.tensor(X), torch.tensor(Y)
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(400):
        optimiser.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        optimiser.step()
    return net


@pytest.fixture(scope="module")
def untrained_report():
    checkpoint = from_state_dict(module().state_dict(), activation="tanh", x=X, y=Y)
    return analyze(checkpoint, samples=0, time_limit=3, refit_steps=0)


def test_an_untrained_network_is_not_pruned_and_no_formula_is_called_its_own(untrained_report):
    report = untrained_report
    assert report.fit.useless and report.circuit.edges == 18
    assert report.summary()[0].startswith("network: hardly better than a constant, so it is not pruned: r2 ")
    assert report.formulas["y1"].r2 == pytest.approx(1.0)  # the rows do follow a law
    assert not report.formulas["y1"].exact
    assert "does not fit these rows" in report.to_json()["formulas"]["y1"]["message"]
    assert [finding.holds for finding in report.check("formulas.*.exact")] == [False]
    assert [finding.holds for finding in report.check("network.fits")] == [False]


def test_the_record_tells_the_score(untrained_report):
    plain = untrained_report.to_json()["network"]
    expected = from_state_dict(module().state_dict(), activation="tanh", x=X, y=Y).predict(X)
    assert plain["score"] == pytest.approx(1 - ((Y - expected) ** 2).mean() / Y.var())
    assert (plain["measure"], plain["rows"], plain["fits"]) == ("r2", 200, False)
    assert plain["statement"] in untrained_report.to_markdown().replace("\\", "")
    assert plain["statement"] in untrained_report.to_html()


def test_a_trained_network_is_said_to_do_its_task():
    report = analyze(from_state_dict(trained().state_dict(), activation="tanh", x=X, y=Y), samples=0, time_limit=0)
    assert report.summary()[0].startswith("network: does its task: r2 0.99")
    assert [finding.holds for finding in report.check("network.score>=0.98")] == [True]


def test_a_wrong_activation_is_said_in_the_first_line_with_the_right_one():
    fit = NetworkFit.of(from_state_dict(trained().state_dict(), activation="relu", x=X, y=Y))
    assert fit.fits is False and fit.misses("y1")
    assert "--activation tanh: r2 0.99" in fit.statement


def test_own_outputs_are_pruned_by_their_variance():
    net = trained()
    with torch.no_grad():
        net[0].weight[0], net[2].weight[0, 0] = 1e-4, 1e-4
    report = analyze(from_state_dict(net.state_dict(), activation="tanh", x=X), samples=0, time_limit=0, refit_steps=0)
    assert report.fit.fits is None and "no targets" in report.summary()[0]
    assert report.circuit.full_loss == 0 < report.circuit.loss <= 0.05**2 * float(net(torch.tensor(X)).detach().var())
    assert report.circuit.edges < 18


def test_nothing_that_is_not_there_is_shown_to_be_as_required():
    labels = (Y > 0).astype(float)
    net = trained()
    with torch.no_grad():
        net[2].weight *= 20
        net[2].bias *= 20
    report = analyze(from_state_dict(net.state_dict(), activation="tanh", x=X, y=labels), samples=0, time_limit=1)
    assert report.checkpoint.task.loss == "bce" and not report.formulas
    (finding,) = report.check("formulas.*.exact")
    assert not finding.holds and "stands for nothing" in finding.line


def test_an_audit_cuts_nothing_of_an_untrained_network_either():
    checkpoint = from_state_dict(module().state_dict(), activation="tanh", x=X, y=Y)
    options = AnalysisOptions(refit_steps=0)
    assert circuit_to_analyse(checkpoint, options).edges == 18
    assert len(circuit_to_analyse(checkpoint, options).sweep) == 1
    does = from_state_dict(trained().state_dict(), activation="tanh", x=X, y=Y)
    assert len(circuit_to_analyse(does, options).sweep) > 1
