"""Folders that transformers saved: the same function as transformers' own, the rows, and what is refused by name."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bimt_analyze import open_checkpoint
from bimt_train import CheckpointError
from bimt_train.checkpoints import load_checkpoint, read_foreign, save_checkpoint, task_score
from bimt_train.checkpoints.own_outputs import OWN_OUTPUTS
from bimt_train.models import GPT
from bimt_train.models.building_blocks._continued import continued

CONFIG = {
    "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": 5, "n_positions": 6, "n_embd": 4,
    "n_head": 2, "n_layer": 2, "n_inner": None, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
    "bos_token_id": 3, "eos_token_id": 4, "pad_token_id": 4,
}  # fmt: skip
X = np.random.default_rng(0).integers(0, 5, (10, 6)).astype(np.float64)


def weights(width: int = 4, hidden: int = 16, layers: int = 2) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (5, width), "wpe.weight": (6, width)}
    for index in range(layers):
        parts = {"ln_1": (width,), "attn.c_attn": (width, 3 * width), "attn.c_proj": (width, width)}
        parts |= {"ln_2": (width,), "mlp.c_fc": (width, hidden), "mlp.c_proj": (hidden, width)}
        shapes |= {f"h.{index}.{name}.weight": shape for name, shape in parts.items()}
        shapes |= {f"h.{index}.{name}.bias": shape[-1:] for name, shape in parts.items()}
    shapes |= {"ln_f.weight": (width,), "ln_f.bias": (width,)}
    return {f"transformer.{name}": torch.randn(shape, generator=draw) for name, shape in shapes.items()}


def saved(folder: Path, state: dict[str, torch.Tensor] | None = None, **changes: Any) -> Path:
    """A folder; fields that are changed to ... are left out."""
    config = {name: value for name, value in (CONFIG | changes).items() if value is not ...}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights() if state is None else state, folder / "model.safetensors")
    return folder


def by_hand(state: dict[str, torch.Tensor], x: np.ndarray) -> np.ndarray:
    """GPT-2 of two heads as its paper and its code have it, token by token and head by head, in plain numpy."""
    t = {name.removeprefix("transformer."): tensor.double().numpy() for name, tensor in state.items()}

    def norm(name: str, h: np.ndarray) -> np.ndarray:
        spread = np.sqrt(h.var(-1, keepdims=True) + 1e-5)
        return (h - h.mean(-1, keepdims=True)) / spread * t[f"{name}.weight"] + t[f"{name}.bias"]

    def conv(name: str, h: np.ndarray) -> np.ndarray:
        return h @ t[f"{name}.weight"] + t[f"{name}.bias"]

    rows = []
    for row in x.astype(int):
        r = t["wte.weight"][row] + t["wpe.weight"][: len(row)]
        for index in range(2):
            q, k, v = np.split(conv(f"h.{index}.attn.c_attn", norm(f"h.{index}.ln_1", r)), 3, axis=-1)
            heads = []
            for head in (slice(0, 2), slice(2, 4)):
                scores = q[:, head] @ k[:, head].T / math.sqrt(2)
                chances = np.exp(np.where(np.tri(len(row)) > 0, scores, -np.inf))
                heads.append(chances / chances.sum(-1, keepdims=True) @ v[:, head])
            r = r + conv(f"h.{index}.attn.c_proj", np.concatenate(heads, -1))
            h = conv(f"h.{index}.mlp.c_fc", norm(f"h.{index}.ln_2", r))
            h = 0.5 * h * (1 + np.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
            r = r + conv(f"h.{index}.mlp.c_proj", h)
        rows.append(norm("ln_f", r) @ t["wte.weight"].T)
    return np.stack(rows)


def test_a_folder_is_gpt2_written_by_hand(tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path))
    np.testing.assert_allclose(found.predict(X), by_hand(weights(), X), rtol=0, atol=1e-12)


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "narrow MLP, one head": {"n_inner": 7, "n_head": 1},
    "three heads, relu": {"n_embd": 12, "n_head": 3, "activation_function": "relu"},
    "exact gelu, another epsilon": {"activation_function": "gelu", "layer_norm_epsilon": 0.1},
    "an unembedding of its own": {"tie_word_embeddings": False},
    "scores divided by the layer": {"scale_attn_by_inverse_layer_idx": True, "n_layer": 3},
    "scores not divided": {"scale_attn_weights": False},
    "both, upcast": {
        "scale_attn_weights": False, "scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True,
    },
    "silu": {"activation_function": "silu"},
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_logits_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the truth is the extra 'transformers'")
    sizes = {"vocab_size": 9, "n_positions": 8, "n_embd": 8, "n_layer": 2, "n_head": 2}
    torch.manual_seed(0)
    module = transformers.GPT2LMHeadModel(transformers.GPT2Config(**(sizes | VARIANTS[name]))).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.6)
    module.save_pretrained(tmp_path)
    found = read_foreign(tmp_path)
    x = np.random.default_rng(1).integers(0, 9, (6, 8)).astype(np.float64)
    with torch.no_grad():
        right = module(torch.tensor(x).long()).logits.numpy()
    np.testing.assert_allclose(found.predict(x), right, rtol=0, atol=1e-10)
    # options that GPT-2 itself does not need stay out of the file, and all come back from it
    save_checkpoint(tmp_path / "again.safetensors", found)
    again = load_checkpoint(tmp_path / "again.safetensors")
    assert again.network.model == found.network.model
    np.testing.assert_array_equal(again.predict(x), found.predict(x))


def test_options_that_are_the_usual_ones_are_left_out(tmp_path: Path) -> None:
    sizes = {"tokens": 5, "context": 6, "width": 4, "heads": 2, "layers": 2, "hidden": 16}
    assert read_foreign(saved(tmp_path)).network.model.options == sizes


def test_many_networks_at_once_compute_the_same() -> None:
    options: dict[str, Any] = {"tokens": 5, "context": 6, "width": 4, "heads": 2, "layers": 2, "hidden": 3}
    module = GPT(**options, scale=[0.3, 2.0], activation="relu", epsilon=0.5).double()
    stacked = {name: torch.stack([tensor, 2 * tensor]) for name, tensor in module.state_dict().items()}
    outputs = module.stacked_forward(stacked, torch.tensor(X).expand(2, *X.shape))
    torch.testing.assert_close(outputs[0], module(torch.tensor(X)))


def _shards(folder: Path) -> None:
    state = weights()
    names = sorted(state)
    halves = {"model-1.safetensors": names[:9], "model-2.safetensors": names[9:]}
    for file, part in halves.items():
        save_file({name: state[name] for name in part}, folder / file)
    index = {"weight_map": {name: file for file, part in halves.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _bin(folder: Path) -> None:
    masks = {f"h.{index}.attn.bias": torch.ones(1, 1, 6, 6) for index in range(2)}
    state = {name.removeprefix("transformer."): tensor for name, tensor in weights().items()}
    torch.save(state | masks | {"lm_head.weight": state["wte.weight"]}, folder / "pytorch_model.bin")


@pytest.mark.parametrize("write", [_shards, _bin])
def test_shards_and_older_files_are_the_same_network(write: Callable[[Path], None], tmp_path: Path) -> None:
    saved(tmp_path)
    expected = read_foreign(tmp_path).predict(X)
    (tmp_path / "model.safetensors").unlink()
    write(tmp_path)
    np.testing.assert_array_equal(read_foreign(tmp_path).predict(X), expected)


def test_a_table_gives_each_place_the_next_token_as_its_target(tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path), x=X, inputs=[f"c{place}" for place in range(6)])
    rows = np.arange(10) % 5 == 4
    np.testing.assert_array_equal(found.probe.x_train, X[~rows, :-1])
    np.testing.assert_array_equal(found.probe.y_test, X[rows, 1:])
    assert found.task.inputs == ("c0", "c1", "c2", "c3", "c4")
    assert "targets" not in found.config
    assert task_score(found) is not None


def test_without_a_table_the_model_says_what_follows(tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path))
    x, y = found.probe.x_train, found.probe.y_train
    assert (x[:, 0] == 3).all()
    assert np.isin(x[:, 1:], (0, 1, 2)).all()  # no beginning and no end in the midst of a row
    assert 4 in y
    assert found.config["targets"] == OWN_OUTPUTS
    assert task_score(found) is None
    assert any("bos_token_id" in sentence and "3, 4 are held back" in sentence for sentence in found.config["assumed"])
    np.testing.assert_array_equal(read_foreign(tmp_path).probe.x_train, x)


def test_what_the_model_says_has_the_chances_that_it_gives() -> None:
    model = GPT(tokens=4, context=3, width=4, heads=1, layers=1, hidden=4, generator=torch.Generator().manual_seed(0))
    model = model.double()
    prompts = np.tile([0, 2, 1], (40_000, 1))
    _, following = continued(model, prompts, np.full(len(prompts), 3))
    shares = np.stack([np.bincount(following[:, place], minlength=4) for place in range(3)]) / len(prompts)
    chances = torch.softmax(model(torch.tensor(prompts[:1])), -1)[0].detach().numpy()
    np.testing.assert_allclose(shares, chances, rtol=0, atol=0.01)
    assert np.ptp(chances) > 0.1


def test_what_is_drawn_goes_on_but_for_what_is_held_back() -> None:
    model = GPT(tokens=4, context=6, width=4, heads=1, layers=1, hidden=4, generator=torch.Generator().manual_seed(0))
    prompts = np.full((200, 6), 2)
    given = np.repeat([1, 3], 100)
    rows, following = continued(model.double(), prompts, given, held_back=[3])
    assert (rows[100:, :3] == 2).all()
    assert 3 not in rows
    assert 3 in following
    for place in range(3, 6):
        same = rows[:, place] == following[:, place - 1]
        np.testing.assert_array_equal(same, following[:, place - 1] != 3)


def test_tokens_have_the_names_of_the_tokenizer(tmp_path: Path) -> None:
    saved(tmp_path)
    assert read_foreign(tmp_path).task.output_labels == ("0", "1", "2", "3", "4")
    tokenizer = {"model": {"vocab": {"a": 0, "b": 1, "2": 4}}, "added_tokens": [{"content": "<s>", "id": 3}]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert read_foreign(tmp_path).task.output_labels == ("a", "b", "#2", "<s>", "2")
    (tmp_path / "vocab.json").write_text(json.dumps({"x": 2}))
    assert read_foreign(tmp_path).task.output_labels == ("0", "1", "x", "3", "4")


def test_tokens_of_another_vocabulary_begin_nothing(tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path, bos_token_id=50256, eos_token_id=[50256], pad_token_id=None))
    assert set(np.unique(found.probe.x_train)) == {0, 1, 2, 3, 4}


def test_the_analysis_opens_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model-v1.5"
    folder.mkdir()
    assert open_checkpoint(saved(folder)).task.name == "model-v1.5"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another family": ({"model_type": "bloom"}, "'bloom'"),
    "another family than the head's": ({"model_type": "llama"}, "LlamaForCausalLM, got GPT2LMHeadModel"),
    "no family": ({"model_type": ...}, "got none"),
    "family of another type": ({"model_type": 7}, "model_type"),
    "classifier": ({"architectures": ["GPT2ForSequenceClassification"]}, "GPT2ForSequenceClassification"),
    "cross attention": ({"add_cross_attention": True}, "add_cross_attention"),
    "pruned heads": ({"pruned_heads": {"0": [1]}}, "pruned_heads"),
    "quick gelu": ({"activation_function": "quick_gelu"}, "quick_gelu"),
    "no heads": ({"n_head": ...}, "'n_head'"),
    "heads that do not divide": ({"n_head": 3}, "a divisor of n_embd"),
    "width as text": ({"n_embd": "4"}, "'n_embd'"),
    "a negative size": ({"n_layer": -1}, "'n_layer'"),
    "truth for a size": ({"n_layer": True}, "'n_layer'"),
    "more layers than there are": ({"n_layer": 10**9}, "'h.2.ln_1.weight'"),
    "many layers, each of its scale": ({"n_layer": 10**9, "scale_attn_by_inverse_layer_idx": True}, "'n_layer'"),
    "fewer layers than there are": ({"n_layer": 1}, "h.1.attn.c_attn"),
    "another vocabulary": ({"vocab_size": 50257}, "vocab_size"),
    "absurd width": ({"n_embd": 10**12, "n_head": 1}, "shape (5, 1000000000000)"),
    "another MLP": ({"n_inner": 10**15}, "n_inner"),
    "an epsilon that is no number": ({"layer_norm_epsilon": "small"}, "layer_norm_epsilon"),
    "untied without a head": ({"tie_word_embeddings": False}, "lm_head.weight"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_line(name: str, tmp_path: Path) -> None:
    changes, said = REFUSED[name]
    saved(tmp_path, **changes)
    began = time.perf_counter()
    with pytest.raises(CheckpointError) as error:
        read_foreign(tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("text", ["{", "[1]", "", "[" * 100_000, '{"model_type": "gpt2"}', b"\xff\xfe\x00"])
def test_a_config_that_is_none_is_refused(text: str | bytes, tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_foreign(tmp_path)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 5}', '{"a": "b"}', '{"a": -1}', '{"a": true}', '{"a": 1, "b": 1e300}', '{"a": {}}']
)
def test_a_vocabulary_that_does_not_fit_is_refused(text: str, tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "vocab.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"vocab\.json"):
        read_foreign(tmp_path)


def test_tensors_that_are_not_gpt2s_are_named(tmp_path: Path) -> None:
    saved(tmp_path, weights() | {"score.weight": torch.ones(2, 4)})
    with pytest.raises(CheckpointError, match=r"score\.weight"):
        read_foreign(tmp_path)


def test_a_tied_unembedding_that_is_another_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, weights() | {"lm_head.weight": torch.ones(5, 4)})
    with pytest.raises(CheckpointError, match="tied"):
        read_foreign(tmp_path)


@pytest.mark.parametrize(
    "about",
    [
        {"ranges": (-1, 1)}, {"final": "sigmoid"}, {"loss": "mse"}, {"standardize": "both"}, {"activation": "relu"},
        {"x": X + 0.5}, {"x": X + 1}, {"x": X[:4]}, {"x": np.zeros((6, 8))}, {"x": X, "y": X[:, :2]}, {"y": X},
        {"x": X, "inputs": ["a"]}, {"outputs": ["a"]},
    ],
)  # fmt: skip
def test_what_does_not_fit_a_language_model_is_refused(about: dict[str, Any], tmp_path: Path) -> None:
    saved(tmp_path)
    with pytest.raises(CheckpointError):
        read_foreign(tmp_path, **about)
