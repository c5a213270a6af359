"""A Llama in a folder of transformers, from the command line to its audit; what cannot be read is one line."""

import json
import re

import pytest
import torch
from safetensors.torch import save_file

from bimt_analyze._cli import main

QUICK = ("--samples", "20", "--retrain", "0", "--refit", "0", "--time-limit", "0", "--quiet")


@pytest.fixture
def folder(tmp_path):
    config = {
        "model_type": "llama", "vocab_size": 4, "max_position_embeddings": 4, "hidden_size": 4, "intermediate_size": 3,
        "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 1, "bos_token_id": 3,
        "tie_word_embeddings": True,
    }  # fmt: skip
    at, draw = "model.layers.0", torch.Generator().manual_seed(0)
    shapes = {"model.embed_tokens.weight": (4, 4), "model.norm.weight": (4,)}
    shapes |= {f"{at}.{name}.weight": (4,) for name in ("input_layernorm", "post_attention_layernorm")}
    shapes |= {f"{at}.self_attn.{name}_proj.weight": (4, 4) for name in "qo"}
    shapes |= {f"{at}.self_attn.{name}_proj.weight": (2, 4) for name in "kv"}
    shapes |= {f"{at}.mlp.{name}_proj.weight": (3, 4) for name in ("gate", "up")}
    shapes[f"{at}.mlp.down_proj.weight"] = (4, 3)
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(
        {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}, tmp_path / "model.safetensors"
    )
    return tmp_path


def test_the_command_audits_a_folder(folder, capsys):
    assert main([str(folder), "--audit", "--json", str(folder / "r.json"), *QUICK]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^[01] heads and [0-3] MLP neurons are alive; \d of 4 positions", out, flags=re.MULTILINE)
    report = json.loads((folder / "r.json").read_text())
    assert report["audit"]["verdict"] and 0 < report["circuit"]["edges"] <= 4 * (4 + 4 + 2 + 2 + 3 * 3 + 4)
    assert report["task"]["name"] == folder.name


def test_a_table_of_tokens_is_its_task(folder, capsys):
    rows = "\n".join("3,0,1,2" if number % 2 else "3,1,0,2" for number in range(20))
    (folder / "tokens.csv").write_text(f"a,b,c,d\n{rows}\n")
    assert main([str(folder), "--probe", str(folder / "tokens.csv"), *QUICK]) == 0
    assert re.search(r"^network: .*accuracy 0\.\d+ on 20 rows", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_key_value_heads": 3}, ("num_key_value_heads", "got 3")),
        ({"hidden_size": None}, ("'hidden_size'", "no such field")),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 2}}, ("rope_scaling.rope_type", "'yarn'")),
        ({"model_type": "mixtral"}, ("'model_type'", "'mixtral'")),
    ],
)
def test_what_cannot_be_read_is_one_line(folder, capsys, changes, words):
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    assert main([str(folder), "--audit", *QUICK]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and re.fullmatch(r"error: [^\n]+\n", captured.err)
    assert all(word in captured.err for word in words)
