"""Layouts as text that a person writes."""

import pytest
import torch
from torch import nn

from bimt_train import LayoutError, PatternError
from bimt_train.checkpoints import from_module
from bimt_train.layouts import Group, Layout, TensorSpec, draft_layout, layout_for, layout_from_toml, layout_to_toml
from bimt_train.models import MODELS, ModelSpec
from bimt_train.models.from_spec import build_model


@pytest.mark.parametrize("name", MODELS.names())
def test_a_layout_comes_back_from_its_text(name: str) -> None:
    layout = build_model(ModelSpec(name, MODELS[name].options.example().to_json())).layout()
    assert layout_from_toml(layout_to_toml(layout)) == layout


def test_slots_labels_and_strange_names_come_back() -> None:
    groups = (
        Group("a b", ((0.25, 0.5), (0.75, 0.1)), movable=False, labels=('say "x"', "back\\slash")),
        Group.line("h", 4, heads=2),
    )
    layout = Layout(groups[1:], {"w.weight": TensorSpec("_ h", "norm")}, "h", row="(3 h)")
    assert layout_from_toml(layout_to_toml(layout)) == layout
    assert layout_from_toml(layout_to_toml(Layout(groups, {}))).groups == groups


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("groups = [", "no TOML"),
        ("[group]\nx = 2", "'group'"),
        ("row = 2", "'row'"),
        ("[groups]\nx = 0", "without a size"),
        ("[groups]\nx = true", "without a size"),
        ("[groups]\nx = {heads = 2}", "without a size"),
        ("[groups]\nx = {size = 2, head = 2}", "group 'x', 'head'"),
        ("[groups]\nx = {size = 2, slots = [[0.1]]}", "another number of slots"),
        ("[groups]\nx = {size = 1, slots = [['a']]}", "no coordinates"),
        ("[groups]\nx = 2\n[tensors]\nw = {role = 'norm'}", "without a pattern"),
        ("[groups]\nx = 2\n[tensors]\nw = '? x'", "a question mark of the draft is left: tensor 'w': got ? x"),
        ("[groups]\nx = 2\n[tensors]\nw = 'x z'", "unknown group"),
        ("[groups]\nx = 2\n[tensors]\nw = 3", "tensor 'w'"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(LayoutError) as error:
        layout_from_toml(text)
    assert said in str(error.value)
    with pytest.raises(PatternError):
        layout_from_toml("[groups]\nx = 2\n[tensors]\nw = '(x'")


class Spectral(nn.Module):
    """An operator without a rule between two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.write = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.write(torch.fft.fft(self.read(x)).real)


def test_a_draft_can_be_completed_where_tracing_has_no_rule() -> None:
    module = Spectral()
    with pytest.raises(LayoutError, match="draft_layout"):
        layout_for(module, torch.randn(5, 3))
    draft = draft_layout(module)
    with pytest.raises(LayoutError, match="a question mark"):
        layout_from_toml(draft)
    assert '"write.weight" = "? ?"  # (2, 4), Linear' in draft
    text = draft.replace('"read.weight" = "? ?"', '"read.weight" = "_ g3"').replace(
        '"read.bias" = "?"', '"read.bias" = "_"'
    )
    text = text.replace('"write.weight" = "? ?"', '"write.weight" = "g2 _"').replace(
        '"write.bias" = "?"', '"write.bias" = "g2"'
    )
    text = text.replace('inputs = ""', 'inputs = "g3"').replace('outputs = ""', 'outputs = "g2"')
    assert layout_from_toml(text).inputs == "g3"
    wrong = text.replace('"_ g3"', '"g4 g3"').replace('"g2 _"', '"g2 g4"')
    with pytest.raises(LayoutError):
        from_module(module, torch.randn(9, 3), layout=layout_from_toml(wrong))
