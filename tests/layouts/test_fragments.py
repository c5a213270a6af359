from torch import nn

from bimt_train.layouts import Group, Layout, attention, bind, embedding, linear, norm, recurrent

READ, WRITTEN, WIDE = Group.line("read", 3), Group.line("written", 5), Group.line("wide", 8, heads=2)


class Wrapped(nn.Module):
    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


def _patterns(layout: Layout) -> dict[str, tuple[str, str]]:
    return {name: (spec.pattern, spec.role) for name, spec in layout.tensors.items()}


def test_linear() -> None:
    layout = linear("fc", source=READ, target=WRITTEN)
    assert _patterns(layout) == {"fc.weight": ("written read", "weight"), "fc.bias": ("written", "bias")}
    assert bind(layout, Wrapped(fc=nn.Linear(3, 5))) is layout


def test_linear_without_bias_over_two_tokens() -> None:
    layout = linear("fc", source=READ, target=WRITTEN, bias=False, copies=2)
    assert _patterns(layout) == {"fc.weight": ("written (2 read)", "weight")}
    assert bind(layout, Wrapped(fc=nn.Linear(6, 5, bias=False))) is layout


def test_linear_stored_the_other_way_round() -> None:
    layout = linear("fc", source=READ, target=WRITTEN, transposed=True, copies=2)
    assert layout.tensors["fc.weight"].pattern == "(2 read) -> written"
    assert layout.tensors["fc.weight"].plan.groups == ("written", "read")


def test_embedding() -> None:
    layout = embedding("emb", target=READ)
    assert _patterns(layout) == {"emb.weight": ("_ read", "embedding")}
    assert bind(layout, Wrapped(emb=nn.Embedding(59, 3))) is layout


def test_norm() -> None:
    layout = norm("ln", target=READ)
    assert _patterns(layout) == {"ln.weight": ("read", "norm"), "ln.bias": ("read", "norm")}
    assert bind(layout, Wrapped(ln=nn.LayerNorm(3))) is layout
    bare = norm("ln", target=READ, bias=False)
    assert bind(bare, Wrapped(ln=nn.RMSNorm(3))) is bare


def test_attention() -> None:
    layout = attention("attn", residual=Group.line("resid", 8), readers=WIDE)
    assert _patterns(layout) == {
        "attn.in_proj_weight": ("(3 wide) resid", "weight"),
        "attn.in_proj_bias": ("(3 wide)", "bias"),
        "attn.out_proj.weight": ("resid wide", "weight"),
        "attn.out_proj.bias": ("resid", "bias"),
    }
    assert bind(layout, Wrapped(attn=nn.MultiheadAttention(8, 2))) is layout
    bare = attention("attn", residual=Group.line("resid", 8), readers=WIDE, bias=False)
    assert bind(bare, Wrapped(attn=nn.MultiheadAttention(8, 2, bias=False))) is bare


def test_recurrent_layers() -> None:
    first = recurrent("rnn", source=READ, state=WRITTEN)
    assert first.tensors["rnn.weight_hh_l0"].plan.groups == ("written", "written")
    assert bind(first, Wrapped(rnn=nn.RNN(3, 5))) is first
    other = Group.line("second", 5)
    both = Layout.merge(first, recurrent("rnn", source=WRITTEN, state=other, layer=1))
    assert bind(both, Wrapped(rnn=nn.RNN(3, 5, num_layers=2))) is both


def test_fragments_merge_by_the_names_of_their_groups() -> None:
    both = Layout.merge(linear("a", source=READ, target=WRITTEN), linear("b", source=WRITTEN, target=READ))
    assert [group.name for group in both.groups] == ["read", "written"]
    assert both.touching("written") == ("a.weight", "a.bias", "b.weight")
