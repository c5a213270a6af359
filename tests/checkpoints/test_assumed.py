"""What is inferred of a file is said; what cannot be inferred is asked for, and the answer is taken."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import CheckpointError
from bimt_train.checkpoints import from_state_dict, load_checkpoint, read_foreign, save_checkpoint

X = np.random.default_rng(0).uniform(-1, 1, (20, 3))
DRAW = torch.Generator().manual_seed(0)
A, B, C = (torch.randn(3, 3, generator=DRAW) for _ in range(3))
ONE = torch.ones(3)


def _assumed(state: Mapping[str, Any], **options: Any) -> list[str]:
    return list(from_state_dict(state, activation="silu", x=X, **options).config["assumed"])


def _predicted(state: Mapping[str, Any], **options: Any) -> np.ndarray:
    outputs: np.ndarray = from_state_dict(state, activation="silu", x=X, **options).predict(X)
    return outputs


def _through(*weights: torch.Tensor) -> np.ndarray:
    h = torch.tensor(X)
    for index, weight in enumerate(weights):
        h = (nn.functional.silu(h) if index else h) @ weight.double().T
    return h.numpy()


def test_all_that_is_inferred_is_said() -> None:
    state = {
        "module.net.0.weight_orig": A,
        "module.net.0.weight_mask": (A > 0).float(),
        "module.net.0.bias": ONE,
        "module.net.2.weight": B,
        "module.n_averaged": torch.tensor(3),
    }
    assert _assumed(state) == [
        "'module.n_averaged' left out: counts steps, and changes no output",
        "'module.', 'net.' dropped from the names: a wrapper's word, or one that all names share",
        "'module.net.0.weight_mask' is a mask of zeros and ones, and is applied to 'module.net.0.weight_orig'",
        "the layers stand in the order of the numbers in their names: "
        "'module.net.0.weight_orig', 'module.net.2.weight'",
        "the weights are stored [out, in]: torch does so, and the shapes allow it",
        "the layer of 'module.net.2.weight' has no bias: zeros",
        "silu stands between the layers: activation was given",
        "targets: none were given, so the network's own outputs stand for them",
    ]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"inp.weight": A, "out.weight": B}, "in the order of the file, as their names have no numbers"),
        ({"a.kernel": A, "b.kernel": B}, "stored [in, out]: the word kernel, or coef, says so"),
        ({"W1": torch.ones(3, 5), "W2": torch.ones(5, 2)}, "stored [in, out]: only so do the shapes chain"),
        ({"W1": A, "b1": torch.ones(1, 3), "W2": B, "b2": torch.ones(1, 3)}, "stored [in, out]: biases are rows"),
        ({"W1": A, "b1": torch.ones(3, 1), "W2": B, "b2": torch.ones(3, 1)}, "stored [out, in]: biases are columns"),
        ({"W": torch.ones(2, 3)}, "stored [out, in]: only so do the layers read 3 inputs"),
        (
            {"0.weight": A.mul(9).to(torch.int8), "0.scale": ONE},
            "to the integers of '0.weight', one for each row",
        ),
        ({"0.weight": A.mul(9).to(torch.int64)}, "'0.weight' holds whole numbers: they are taken as they are"),
        ({"x_mean": ONE, "x_std": ONE, "0.weight": A}, "are mean and deviation of the inputs, and are folded into"),
    ],
)
def test_an_inference_stands_with_its_reason(state: Mapping[str, Any], sentence: str) -> None:
    assert any(sentence in said for said in _assumed(state)), _assumed(state)


def test_what_is_assumed_is_kept_in_the_file(tmp_path: Path) -> None:
    checkpoint = from_state_dict({"0.weight": A}, activation="silu", x=X)
    save_checkpoint(tmp_path / "net.safetensors", checkpoint)
    assert load_checkpoint(tmp_path / "net.safetensors").config == checkpoint.config


# ---- what the user says


def test_roles_decide_order_and_orientation() -> None:
    state = {"b": A, "a": B, "beta": ONE}
    roles = {"a": "weight", "b": "weight", "beta": "ignore"}
    assert np.allclose(_predicted(state, roles=roles), _through(B, A), atol=1e-6)
    assert "the layers stand in the order of roles, which was given" in _assumed(state, roles=roles)
    turned = {"a": "kernel", "b": "kernel", "beta": "ignore"}
    assert np.allclose(_predicted(state, roles=turned), _through(B.T, A.T), atol=1e-6)


def test_a_role_lifts_a_refusal() -> None:
    state = {"embed.weight": A, "out.weight": B}
    with pytest.raises(CheckpointError, match="an embedding"):
        _predicted(state)
    assert np.allclose(_predicted(state, roles={"embed.weight": "weight"}), _through(A, B), atol=1e-6)


def test_the_hint_of_a_refusal_is_true() -> None:
    """Each option that a message names leads to a network."""
    twins = {f"{root}.{i}.weight": m for root, m in (("net_a", A), ("net_b", B)) for i in (0, 2)}
    with pytest.raises(CheckpointError, match="key='net_a'"):
        _predicted(twins)
    assert np.allclose(_predicted(twins, key="net_a"), _through(A, A), atol=1e-6)
    assert np.allclose(_predicted(twins, key="net_b"), _through(B, B), atol=1e-6)
    with pytest.raises(CheckpointError, match='orientation="out_in"'):
        _predicted({"W1": A, "W2": B})
    assert np.allclose(_predicted({"W1": A, "W2": B}, orientation="out_in"), _through(A, B), atol=1e-6)
    assert np.allclose(_predicted({"W1": A, "W2": B}, orientation="in_out"), _through(A.T, B.T), atol=1e-6)
    with pytest.raises(CheckpointError, match="roles="):
        _predicted({"0.weight": A, "0.temperature": torch.tensor(1.0)})
    ignored = _predicted({"0.weight": A, "0.temperature": torch.tensor(1.0)}, roles={"0.temperature": "ignore"})
    assert np.allclose(ignored, _through(A), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"roles": {"nowhere": "weight"}}, "a role that cannot be given: roles, 'nowhere'"),
        ({"roles": {"0.weight": "layer"}}, "a role that cannot be given: roles, '0.weight'"),
        ({"roles": {"0.bias": "weight"}}, "a role that does not fit: '0.bias'"),
        ({"key": "ema"}, "no tensors under that key: key='ema'"),
    ],
)
def test_what_cannot_be_told_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        _predicted({"0.weight": A, "0.bias": ONE}, **options)


def test_a_key_chooses_among_networks_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "both.pt"
    torch.save({"model": {"0.weight": A}, "ema": {"0.weight": B}, "more": [{"0.weight": C}]}, path)
    for key, weight in (("model", A), ("ema", B), ("more.0", C)):
        found = read_foreign(path, activation="silu", x=X, key=key)
        assert np.allclose(found.predict(X), _through(weight), atol=1e-6)
    with pytest.raises(CheckpointError, match=r"no network under that key: .*expected 'model' or 'ema' or 'more.0'"):
        read_foreign(path, activation="silu", x=X, key="best")


# ---- numbers that are folded in


def test_batch_norms_between_named_layers_stand_where_the_user_says() -> None:
    norm = nn.BatchNorm1d(3).eval()
    norm.running_mean.copy_(torch.tensor([0.1, 0.2, -0.3]))
    norm.running_var.copy_(torch.tensor([0.5, 2.0, 1.0]))
    state = {"fc1.weight": A, "fc2.weight": B, **{f"bn1.{name}": t for name, t in norm.state_dict().items()}}
    norm, act = norm.double(), nn.functional.silu
    h = torch.tensor(X) @ A.double().T
    with torch.no_grad():
        before = act(norm(h)) @ B.double().T
        after = norm(act(h)) @ B.double().T
    assert np.allclose(_predicted(state, batch_norm="before"), before, atol=1e-6)
    assert np.allclose(_predicted(state, batch_norm="after"), after, atol=1e-6)


def test_outputs_get_their_units() -> None:
    state = {"0.weight": A, "y_mean": torch.tensor([1.0, 2.0, 3.0]), "y_std": torch.tensor([2.0, 1.0, 0.5])}
    expected = _through(A) * np.array([2.0, 1.0, 0.5]) + np.array([1.0, 2.0, 3.0])
    assert np.allclose(_predicted(state), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["weight", "kernel"])
def test_a_scale_belongs_to_the_outputs(kind: str) -> None:
    whole, scale = (A * 40).to(torch.int8), torch.tensor([0.01, 0.02, 0.05])
    outputs_first = whole if kind == "weight" else whole.T
    state = {f"0.{kind}": outputs_first.contiguous(), "0.scale": scale, "0.zero_point": torch.full((3,), 3)}
    assert np.allclose(_predicted(state), _through((whole.float() - 3) * scale[:, None]), atol=1e-6)


@pytest.mark.parametrize(("classes", "said"), [((-1, 1), "-1 is 0, 1 is 1"), ((1, 2, 3), "1 is 0, 2 is 1, 3 is 2")])
def test_classes_that_are_not_numbered_from_0_are_numbered_in_their_order(classes: tuple[int, ...], said: str) -> None:
    chosen = np.arange(60) % len(classes)
    x = np.eye(len(classes))[chosen] + np.random.default_rng(0).normal(size=(60, len(classes))) / 9
    state = {"weight": np.eye(len(classes))}
    checkpoint = from_state_dict(state, activation="relu", x=x, y=np.array(classes)[chosen])
    assert checkpoint.task.loss == "cross-entropy"
    assert checkpoint.probe.y_train[:, 0].tolist() == chosen[np.arange(60) % 5 != 4].tolist()
    assert f"targets: classes in the order of their numbers: {said}" in checkpoint.config["assumed"]
    as_numbers = from_state_dict(
        {"weight": np.ones((1, len(classes)))}, activation="relu", x=x, y=np.array(classes)[chosen]
    )
    assert set(as_numbers.probe.y_train[:, 0]) == set(classes)  # one output: numbers are numbers
