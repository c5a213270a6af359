"""Folders of Llama's family: the same function as transformers' own, and what is refused by name."""

import copy
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bimt_analyze import open_checkpoint
from bimt_train import CheckpointError, verify
from bimt_train.checkpoints import load_checkpoint, read_foreign, save_checkpoint
from bimt_train.checkpoints.own_outputs import OWN_OUTPUTS
from bimt_train.models import Llama
from bimt_train.models.building_blocks._continued import continued

CONFIG = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 7, "max_position_embeddings": 6,
    "hidden_size": 8, "intermediate_size": 5, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
    "num_hidden_layers": 2, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "bos_token_id": 5,
    "eos_token_id": 6, "tie_word_embeddings": False,
}  # fmt: skip
X = np.random.default_rng(0).integers(0, 7, (10, 6)).astype(np.float64)


def weights() -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (7, 8), "model.norm.weight": (8,)}
    maps = {"q_proj": (16, 8), "k_proj": (8, 8), "v_proj": (8, 8), "o_proj": (8, 16)}
    for index in range(2):
        at = f"model.layers.{index}"
        shapes |= {f"{at}.self_attn.{name}.weight": shape for name, shape in maps.items()}
        shapes |= {f"{at}.mlp.{name}.weight": (5, 8) for name in ("gate_proj", "up_proj")}
        shapes |= {f"{at}.mlp.down_proj.weight": (8, 5)}
        shapes |= {f"{at}.{name}.weight": (8,) for name in ("input_layernorm", "post_attention_layernorm")}
    shapes["lm_head.weight"] = (7, 8)
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}


def saved(folder: Path, state: dict[str, torch.Tensor] | None = None, **changes: Any) -> Path:
    """A folder; fields that are changed to ... are left out."""
    config = {name: value for name, value in (CONFIG | changes).items() if value is not ...}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights() if state is None else state, folder / "model.safetensors")
    return folder


def by_hand(state: dict[str, torch.Tensor], x: np.ndarray) -> np.ndarray:
    """Llama as its paper and its code have it, token by token and head by head; pairs of neurons as complex numbers."""
    t = {name.removeprefix("model."): tensor.double().numpy() for name, tensor in state.items()}

    def norm(name: str, h: np.ndarray) -> np.ndarray:
        return h / np.sqrt((h**2).mean(-1, keepdims=True) + 1e-6) * t[f"{name}.weight"]

    def turned(h: np.ndarray) -> np.ndarray:
        pairs = (h[:, :2] + 1j * h[:, 2:]) * np.exp(1j * np.outer(np.arange(len(h)), [1.0, 0.01]))
        return np.concatenate([pairs.real, pairs.imag], -1)

    rows = []
    for row in x.astype(int):
        r = t["embed_tokens.weight"][row]
        for index in range(2):
            at, heads = f"layers.{index}", []
            h = norm(f"{at}.input_layernorm", r)
            q, k, v = (h @ t[f"{at}.self_attn.{kind}_proj.weight"].T for kind in "qkv")
            for head in range(4):
                asking, asked = slice(4 * head, 4 * head + 4), slice(4 * (head // 2), 4 * (head // 2) + 4)
                scores = turned(q[:, asking]) @ turned(k[:, asked]).T / math.sqrt(4)
                chances = np.exp(np.where(np.tri(len(row)) > 0, scores, -np.inf))
                heads.append(chances / chances.sum(-1, keepdims=True) @ v[:, asked])
            r = r + np.concatenate(heads, -1) @ t[f"{at}.self_attn.o_proj.weight"].T
            h = norm(f"{at}.post_attention_layernorm", r)
            gate = h @ t[f"{at}.mlp.gate_proj.weight"].T
            gated = gate / (1 + np.exp(-gate)) * (h @ t[f"{at}.mlp.up_proj.weight"].T)
            r = r + gated @ t[f"{at}.mlp.down_proj.weight"].T
        rows.append(norm("norm", r) @ t["lm_head.weight"].T)
    return np.stack(rows)


def test_a_folder_is_llama_written_by_hand(tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path), x=X)
    np.testing.assert_allclose(found.network.predict(X), by_hand(weights(), X), rtol=0, atol=1e-11)
    network, x = found.network, torch.tensor(X[:2])
    assert max(verify(network.module().double(), network.layout, x).deviations.values()) < 1e-11


LLAMA3 = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8}  # fmt: skip
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "grouped queries": ("Llama", {}),
    "a head of its own for each query": ("Llama", {"num_key_value_heads": 4}),
    "one head for all queries": ("Llama", {"num_key_value_heads": 1}),
    "tied": ("Llama", {"tie_word_embeddings": True}),
    "wide heads, wide turns": ("Llama", {"head_dim": 16, "rope_theta": 500.0}),
    "narrow heads, biases, relu": (
        "Llama", {"head_dim": 2, "attention_bias": True, "mlp_bias": True, "hidden_act": "relu"},
    ),
    "another epsilon, one layer": ("Llama", {"rms_norm_eps": 0.1, "num_hidden_layers": 1}),
    "turns scaled as in Llama 3": ("Llama", {"rope_scaling": LLAMA3, "max_position_embeddings": 24}),
    "turns scaled for some pairs": ("Llama", {"rope_scaling": LLAMA3, "head_dim": 16, "rope_theta": 50.0}),
    "turns scaled all alike": ("Llama", {"rope_scaling": {"rope_type": "linear", "factor": 3.0}}),
    "turns scaled behind the context": ("Llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}),
    "Mistral": ("Mistral", {"sliding_window": None}),
    "Mistral with a window": ("Mistral", {"sliding_window": 3}),
    "Qwen2": ("Qwen2", {}),
    "Qwen2 with windows": ("Qwen2", {"use_sliding_window": True, "sliding_window": 2, "max_window_layers": 1}),
    "Qwen3": ("Qwen3", {"head_dim": 4}),
    "Qwen3 with windows, tied": (
        "Qwen3",
        {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 0, "attention_bias": True, "head_dim": 4,
         "tie_word_embeddings": True},
    ),
}  # fmt: skip


def made(name: str, folder: Path, **changes: Any) -> Any:
    """transformers' own module with random weights in double precision, saved into a folder."""
    transformers = pytest.importorskip("transformers", reason="the truth is the extra 'transformers'")
    family, options = VARIANTS[name]
    sizes = {"vocab_size": 11, "max_position_embeddings": 12, "hidden_size": 16, "intermediate_size": 10,
             "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": None,
             "pad_token_id": None}  # fmt: skip
    chosen = copy.deepcopy(sizes | options)  # transformers writes into what it is given
    if family == "Qwen2":
        del chosen["head_dim"]
    config = getattr(transformers, f"{family}Config")(**chosen)
    module = getattr(transformers, f"{family}ForCausalLM")(config).double().eval()
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5, generator=draw)
    module.save_pretrained(folder, **changes)
    return module


@pytest.mark.parametrize("name", VARIANTS)
def test_logits_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    module = made(name, tmp_path)
    x = np.random.default_rng(1).integers(0, 11, (6, 12)).astype(np.float64)
    found = read_foreign(tmp_path, x=x)
    with torch.no_grad():
        right = module(torch.tensor(x).long()).logits.numpy()
    # transformers computes norms and angles in single precision, whatever its weights are
    assert np.abs(found.network.predict(x) - right).max() < 1e-5 * np.abs(right).max()
    model = found.network.model
    save_checkpoint(tmp_path / "again.safetensors", found)
    again = load_checkpoint(tmp_path / "again.safetensors")
    assert again.network.model == model
    np.testing.assert_array_equal(again.network.predict(x), found.network.predict(x))


@pytest.mark.parametrize("name", ["Mistral with a window", "Qwen3 with windows, tied", "turns scaled for some pairs"])
def test_going_on_token_by_token_is_the_forward_pass(name: str, tmp_path: Path) -> None:
    made(name, tmp_path)
    network = read_foreign(tmp_path, x=np.zeros((5, 2))).network
    model = network.module().double()
    assert isinstance(model, Llama)
    tokens = torch.tensor(np.random.default_rng(2).integers(0, 11, (5, 9)))
    memories = model.remembered()
    with torch.no_grad():
        places = [model.at_place(tokens[:, place], place, memories) for place in range(9)]
        torch.testing.assert_close(torch.stack(places, 1), model(tokens), rtol=0, atol=1e-10)


def test_shards_are_the_same_network(tmp_path: Path) -> None:
    module = made("grouped queries", tmp_path, max_shard_size="4KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    found = read_foreign(tmp_path, x=X)
    np.testing.assert_array_equal(found.network.tensors["embedding.weight"], module.model.embed_tokens.weight.detach())
    assert any("shards" in sentence for sentence in found.config["assumed"])


def test_older_configs_and_newer_ones_say_the_same(tmp_path: Path) -> None:
    """transformers 5 moved rope_theta into rope_parameters, and leaves out what is usual."""
    scaling = {name: value for name, value in LLAMA3.items() if name != "rope_type"}
    written: list[dict[str, Any]] = [
        {"rope_theta": 500.0, "rope_scaling": {**scaling, "type": "llama3"}},
        {"rope_theta": 500.0, "rope_scaling": {**scaling, "rope_type": "llama3"}},
        {"rope_theta": ..., "rope_parameters": {**scaling, "rope_type": "llama3", "rope_theta": 500.0}},
    ]
    models = [read_foreign(saved(tmp_path, **fields), x=X).network.model for fields in written]
    assert models[0] == models[1] == models[2]
    assert models[0].options["theta"] == 500.0 and len(models[0].options["frequencies"]) == 2
    assert read_foreign(saved(tmp_path, rope_scaling=None, num_key_value_heads=2), x=X).network.model.options == {
        "tokens": 7, "context": 6, "width": 8, "heads": 4, "kv_heads": 2, "head_size": 4, "layers": 2, "hidden": 5,
    }  # fmt: skip


def test_half_precision_and_buffers_of_older_versions_are_read(tmp_path: Path) -> None:
    state = {name: tensor.bfloat16() for name, tensor in weights().items()}
    frequencies = {f"model.layers.{index}.self_attn.rotary_emb.inv_freq": torch.ones(2) for index in range(2)}
    found = read_foreign(saved(tmp_path, state | frequencies), x=X)
    rounded = {name: tensor.float() for name, tensor in state.items()}
    np.testing.assert_allclose(found.network.predict(X), by_hand(rounded, X), rtol=0, atol=1e-11)


def test_without_a_table_the_model_says_what_follows(tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path))
    x = found.probe.x_train
    assert (x[:, 0] == 5).all() and np.isin(x[:, 1:], range(5)).all()
    assert found.config["targets"] == OWN_OUTPUTS
    assert any(sentence.startswith("biases that the family does not have") for sentence in found.config["assumed"])
    assert open_checkpoint(tmp_path).task.name == tmp_path.name


def test_what_is_drawn_has_the_chances_that_the_model_gives(tmp_path: Path) -> None:
    model = read_foreign(saved(tmp_path), x=X).network.module().double()
    assert isinstance(model, Llama)
    with torch.no_grad():
        model.write.weight.mul_(0.25)  # else one token has nearly all
    prompts = np.tile([0, 2, 1], (20_000, 1))
    _, following = continued(model, prompts, np.full(len(prompts), 3))
    shares = np.stack([np.bincount(following[:, place], minlength=7) for place in range(3)]) / len(prompts)
    chances = torch.softmax(model(torch.tensor(prompts[:1])), -1)[0].detach().numpy()
    np.testing.assert_allclose(shares, chances, rtol=0, atol=0.015)
    assert np.ptp(chances) > 0.1


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "experts": ({"model_type": "mixtral"}, ("'model_type'", "'mixtral'")),
    "experts in a Llama": ({"num_local_experts": 4}, ("'num_local_experts'", "got 4")),
    "Gemma": ({"model_type": "gemma2"}, ("'gemma2'", "qwen3")),
    "quantised": ({"quantization_config": {"quant_method": "awq"}}, ("quantization_config", "awq")),
    "classifier": ({"architectures": ["LlamaForSequenceClassification"]}, ("LlamaForSequenceClassification",)),
    "yarn": ({"rope_scaling": {"type": "yarn", "factor": 2.0}}, ("'rope_scaling.rope_type'", "'yarn'", "llama3")),
    "longrope": ({"rope_parameters": {"rope_type": "longrope"}}, ("'rope_parameters.rope_type'", "'longrope'")),
    "scaling as text": ({"rope_scaling": "linear"}, ("'rope_scaling'", "'linear'")),
    "scaling without a factor": ({"rope_scaling": {"type": "linear"}}, ("'rope_scaling.factor'", "no such field")),
    "frequencies the wrong way": (
        {"rope_scaling": LLAMA3 | {"low_freq_factor": 9.0}}, ("'rope_scaling.high_freq_factor'", "got 4.0"),
    ),
    "half of a head turns": ({"partial_rotary_factor": 0.5}, ("'partial_rotary_factor'", "got 0.5")),
    "a base as text": ({"rope_theta": "10000"}, ("'rope_theta'", "got '10000'")),
    "no width": ({"hidden_size": ...}, ("'hidden_size'", "no such field")),
    "no heads": ({"num_attention_heads": ...}, ("'num_attention_heads'", "no such field")),
    "no MLP": ({"intermediate_size": None}, ("'intermediate_size'", "no such field")),
    "heads that do not divide": ({"num_key_value_heads": 3}, ("'num_key_value_heads'", "got 3")),
    "heads of odd size": ({"head_dim": 3}, ("'head_dim'", "even", "got 3")),
    "heads of absurd size": ({"head_dim": 10**12}, ("'head_dim'", f"got {10**12}")),
    "another size of heads": ({"head_dim": 8}, ("q_proj", "(32, 8)", "head_dim")),
    "heads as many as asked": ({"num_key_value_heads": ...}, ("k_proj", "(16, 8)")),
    "another vocabulary": ({"vocab_size": 32000}, ("embed_tokens.weight", "vocab_size")),
    "another MLP": ({"intermediate_size": 6}, ("gate_proj", "intermediate_size")),
    "more layers than there are": ({"num_hidden_layers": 10**9}, ("layers.2.", "no such tensor")),
    "fewer layers than there are": ({"num_hidden_layers": 1}, ("layers.1.", "not its own")),
    "biases that are not there": ({"attention_bias": True}, ("self_attn.q_proj.bias", "no such tensor")),
    "biases of the MLP that are not there": ({"mlp_bias": True}, ("mlp.gate_proj.bias", "no such tensor")),
    "a bias that is no truth": ({"attention_bias": "yes"}, ("'attention_bias'", "got 'yes'")),
    "Qwen2 without its biases": ({"model_type": "qwen2", "architectures": None}, ("q_proj.bias", "no such tensor")),
    "Qwen3 without its norms": ({"model_type": "qwen3", "architectures": None}, ("q_norm.weight", "no such tensor")),
    "an activation of nobody": ({"hidden_act": "xielu"}, ("'hidden_act'", "'xielu'")),
    "an activation that is a file": ({"hidden_act": "evil.py:Act"}, ("'hidden_act'", "evil.py")),
    "an epsilon below 0": ({"rms_norm_eps": -1e-6}, ("'rms_norm_eps'", "got -1e-06")),
    "tied and yet another": ({"tie_word_embeddings": True}, ("lm_head.weight", "tie_word_embeddings")),
    "a window as text": (
        {"model_type": "mistral", "architectures": None, "sliding_window": "wide"}, ("'sliding_window'", "'wide'"),
    ),
    "layers of an unknown kind": (
        {"model_type": "qwen2", "architectures": None, "use_sliding_window": True, "sliding_window": 2,
         "layer_types": ["full_attention", "chunked_attention"]}, ("'layer_types'", "chunked_attention"),
    ),
    "windows in layers, and none in all": (
        {"model_type": "qwen3", "architectures": None, "layer_types": ["sliding_attention"] * 2},
        ("'layer_types'", "use_sliding_window"),
    ),
    "many layers, each with its window": (
        {"model_type": "qwen2", "architectures": None, "use_sliding_window": True, "num_hidden_layers": 10**9},
        ("'num_hidden_layers'",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_line(name: str, tmp_path: Path) -> None:
    changes, words = REFUSED[name]
    saved(tmp_path, **changes)
    began = time.perf_counter()
    with pytest.raises(CheckpointError) as error:
        read_foreign(tmp_path)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)
    assert time.perf_counter() - began < 1


def test_tensors_that_are_not_llamas_are_named(tmp_path: Path) -> None:
    saved(tmp_path, weights() | {"model.layers.0.self_attn.q_norm.weight": torch.ones(4)})
    with pytest.raises(CheckpointError, match=r"a Llama with tensors that are not its own: .*q_norm\.weight"):
        read_foreign(tmp_path)


def test_a_key_and_an_orientation_are_not_needed_and_told(tmp_path: Path) -> None:
    found = read_foreign(saved(tmp_path), x=X, key="ema", orientation="in_out")
    said = [sentence for sentence in found.config["assumed"] if "not needed" in sentence]
    assert [sentence.split()[0] for sentence in said] == ["key", "orientation"]
