import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import InputError, LayoutError, verify
from bimt_train.layouts import Certificate, Group, Layout, TensorSpec, attention, embedding, linear, norm, recurrent
from bimt_train.models import MLP

RESID, TOKENS = Group.line("resid", 8), 11


def _with(layout: Layout, **patterns: str) -> Layout:
    """The layout with some declarations replaced; __ stands for a dot."""
    tensors = {**layout.tensors, **{k.replace("__", "."): TensorSpec(v) for k, v in patterns.items()}}
    return Layout(layout.groups, tensors, layout.inputs, layout.outputs)


def _refused(module: nn.Module, layout: Layout, x: np.ndarray | torch.Tensor) -> LayoutError:
    with pytest.raises(LayoutError) as caught:
        verify(module, layout, x)
    return caught.value


# ---- a square MLP: every shape fits, so that bind alone would let all of this pass


SQUARE = MLP([4, 4, 4, 4], generator=torch.Generator().manual_seed(0))
ROWS = np.random.default_rng(0).uniform(-1, 1, (16, 4))


def test_a_true_layout_is_certified() -> None:
    certificate = verify(SQUARE, SQUARE.layout(), ROWS)
    assert set(certificate.deviations) == {"x", "h1", "h2", "y"}
    assert all(deviation < 1e-12 for deviation in certificate.deviations.values())
    assert (certificate.silent, certificate.seed) == ((), 0)


def test_a_certificate_is_repeatable_and_the_module_is_left_alone() -> None:
    module = MLP([3, 5, 2], generator=torch.Generator().manual_seed(1)).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = torch.random.get_rng_state()
    rows = ROWS[:, :3]
    assert verify(module, module.layout(), rows, seed=3) == verify(module, module.layout(), rows, seed=3)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert module.training
    assert next(module.parameters()).dtype == torch.float32
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"layers__1__weight": "h1 h2"},
            "permuting group 'h1' changes the outputs: tensor 'layers.1.weight', axes 0 and 1: "
            'expected "h2 -> h1", got "h1 h2"; hint: for \'layers.1.weight\' '
            'declare "h2 -> h1" in place of "h1 h2", or "h2 h1" if h2 is the target',
        ),
        (
            {"layers__1__weight": "h1 -> h2"},
            "permuting group 'h1' changes the outputs: tensor 'layers.1.weight', axes 0 and 1: "
            'expected "h2 h1", got "h1 -> h2"; hint: for \'layers.1.weight\' '
            'declare "h2 h1" in place of "h1 -> h2", or "h2 -> h1" if h2 is the source',
        ),
        (
            {"layers__0__bias": "_"},
            "permuting group 'h1' changes the outputs: tensor 'layers.0.bias', axis 0: "
            'expected "h1", got "_"; hint: for \'layers.0.bias\' declare "h1" in place of "_"',
        ),
        (
            {"layers__0__bias": "4"},
            "permuting group 'h1' changes the outputs: tensor 'layers.0.bias', axis 0: "
            'expected "h1", got "4"; hint: for \'layers.0.bias\' declare "h1" in place of "4"',
        ),
        (
            {"layers__1__bias": "h1"},
            "permuting group 'h1' changes the outputs: tensor 'layers.1.bias', axis 0: "
            'expected "h2", got "h1"; hint: for \'layers.1.bias\' declare "h2" in place of "h1"',
        ),
        (
            {"layers__0__weight": "h1 _"},
            "permuting group 'x' changes the outputs: tensor 'layers.0.weight', axis 1: "
            'expected "x", got "_"; hint: for \'layers.0.weight\' declare "h1 x" in place of "h1 _"',
        ),
    ],
)
def test_a_false_declaration_is_named(changes: dict[str, str], message: str) -> None:
    assert str(_refused(SQUARE, _with(SQUARE.layout(), **changes), ROWS)) == message


@pytest.mark.parametrize(("end", "group"), [("inputs", "x"), ("outputs", "y")])
def test_ends_that_are_not_declared_are_named(end: str, group: str) -> None:
    layout = SQUARE.layout()
    error = _refused(SQUARE, dataclasses.replace(layout, **{end: ""}), ROWS)
    assert str(error) == (
        f"permuting group '{group}' changes the outputs: the layout's {end}: "
        f'expected "{group}", got ""; hint: declare {end}="{group}"'
    )


def test_fresh_constant_biases_hide_nothing() -> None:
    module = MLP([4, 4, 4, 4], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer in module.layers:
            layer.bias.zero_()
    assert _refused(module, _with(module.layout(), layers__1__bias="_"), ROWS).expected == '"h2"'


def test_bind_comes_first() -> None:
    layout = SQUARE.layout()
    fewer = Layout(layout.groups, {"layers.0.weight": layout.tensors["layers.0.weight"]}, "x", "y")
    assert _refused(SQUARE, fewer, ROWS).what == "undeclared parameters or buffers"


def test_a_group_that_the_module_treats_unequally_is_refused_without_a_culprit() -> None:
    class Ramp(MLP):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first, second, last = self.layers
            hidden = self.act(first(x)) * torch.arange(1, 5, dtype=x.dtype)
            return last(self.act(second(hidden)))

    module = Ramp([4, 4, 4, 4], generator=torch.Generator().manual_seed(0))
    error = _refused(module, module.layout(), ROWS)
    assert error.what == "permuting group 'h1' changes the outputs"
    assert error.where == "tensors that declare it: 'layers.0.weight', 'layers.0.bias', 'layers.1.weight'"
    assert error.expected == "at most 1e-09 of the largest output"
    assert error.hint.endswith("if the module treats them unequally, they cannot be moved")
    fixed = module.layout().with_groups([Group.line("h1", 4, movable=False)])
    assert set(verify(module, fixed, ROWS).deviations) == {"x", "h2", "y"}


# ---- attention in a residual stream, with an embedding tied to the way out


class Block(nn.Module):
    """Tokens in, logits out; the embedding serves at both ends, as in many language models."""

    def __init__(self, heads: int = 2) -> None:
        super().__init__()
        self.emb = nn.Embedding(TOKENS, 8)
        self.ln = nn.LayerNorm(8)
        self.attn = nn.MultiheadAttention(8, heads, batch_first=True)
        self.out = nn.Linear(8, TOKENS)
        self.out.weight = self.emb.weight
        self.register_buffer("mask", torch.triu(torch.full((5, 5), -torch.inf), 1))

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        residual = self.emb(tokens)
        read = self.ln(residual)
        mixed, weights = self.attn(read, read, read, attn_mask=self.mask)
        return self.out(residual + mixed), weights


def _block_layout(heads: int = 2, **patterns: str) -> Layout:
    readers = Group.line("attn", 8, heads=heads)
    ends = {"out.weight": TensorSpec("_ resid", "embedding"), "out.bias": TensorSpec("_"), "mask": TensorSpec("_ _")}
    pieces = (
        embedding("emb", target=RESID),
        norm("ln", target=RESID),
        attention("attn", residual=RESID, readers=readers),
        Layout((RESID,), ends),
    )
    return _with(Layout.merge(*pieces), **patterns)


def _drawn(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with parameters from a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(generator=generator)
    return module


@pytest.fixture(scope="module")
def block() -> nn.Module:
    return _drawn(Block())


SENTENCES = np.random.default_rng(0).integers(0, TOKENS, (6, 5))


def test_attention_is_certified(block: nn.Module) -> None:
    certificate = verify(block, _block_layout(), SENTENCES)
    assert max(certificate.deviations.values()) < 1e-12
    assert set(certificate.deviations) == {"resid", "attn"}
    assert certificate.silent == ()


@pytest.mark.parametrize("heads", [1, 4, 8])
def test_ignored_heads_are_refused(block: nn.Module, heads: int) -> None:
    assert str(_refused(block, _block_layout(heads), SENTENCES)) == (
        f"permuting group 'attn' changes the outputs: group 'attn': expected heads=2, got heads={heads}; "
        "hint: declare the group with heads=2"
    )


@pytest.mark.parametrize(
    ("patterns", "tensor", "expected", "got"),
    [
        ({"attn__in_proj_weight": "(attn 3) resid"}, "attn.in_proj_weight", "(3 attn)", "(attn 3)"),
        ({"attn__in_proj_bias": "(attn 3)"}, "attn.in_proj_bias", "(3 attn)", "(attn 3)"),
        ({"attn__in_proj_bias": "24"}, "attn.in_proj_bias", "(3 attn)", "24"),
        ({"attn__in_proj_bias": "(3 resid)"}, "attn.in_proj_bias", "(3 attn)", "(3 resid)"),
        ({"ln__weight": "_"}, "ln.weight", "resid", "_"),
        ({"ln__bias": "attn"}, "ln.bias", "resid", "attn"),
        ({"attn__out_proj__bias": "_"}, "attn.out_proj.bias", "resid", "_"),
    ],
)
def test_a_false_reading_of_attention_is_named(
    block: nn.Module, patterns: dict[str, str], tensor: str, expected: str, got: str
) -> None:
    error = _refused(block, _block_layout(**patterns), SENTENCES)
    assert error.where == f"tensor '{tensor}', axis 0"
    assert (error.expected, error.got) == (f'"{expected}"', f'"{got}"')


def test_the_wrong_order_of_q_k_v_in_weight_and_bias_alike_is_named(block: nn.Module) -> None:
    wrong = _block_layout(attn__in_proj_weight="(attn 3) resid", attn__in_proj_bias="(attn 3)")
    error = _refused(block, wrong, SENTENCES)
    assert error.where == "tensor 'attn.in_proj_weight', axis 0"
    assert error.hint == (
        'for \'attn.in_proj_weight\' declare "(3 attn) resid" in place of "(attn 3) resid"; '
        'for \'attn.in_proj_bias\' declare "(3 attn)" in place of "(attn 3)"'
    )


def test_a_transposed_projection_is_named(block: nn.Module) -> None:
    error = _refused(block, _block_layout(attn__out_proj__weight="attn resid"), SENTENCES)
    assert error.where == "tensor 'attn.out_proj.weight', axes 0 and 1"
    assert '"resid attn" if resid is the target' in error.hint


def test_tied_tensors_must_be_declared_alike(block: nn.Module) -> None:
    vocabulary = Group.line("words", TOKENS)
    layout = _block_layout()
    tensors = {**layout.tensors, "out.weight": TensorSpec("words resid"), "out.bias": TensorSpec("words")}
    both = Layout((*layout.groups, vocabulary), tensors, outputs="words")
    assert str(_refused(block, both, SENTENCES)) == (
        "tied tensors are declared differently: tensors 'emb.weight' and 'out.weight', group 'words': "
        'expected "_ resid", got "words resid"; '
        "hint: declare both alike: an axis that is a group for one and not for the other is _ for both"
    )


@pytest.mark.parametrize("left_out", ["emb.weight", "out.weight"])
def test_a_tied_tensor_may_be_declared_once(block: nn.Module, left_out: str) -> None:
    layout = _block_layout()
    once = dataclasses.replace(layout, tensors={n: s for n, s in layout.tensors.items() if n != left_out})
    assert max(verify(block, once, SENTENCES).deviations.values()) < 1e-12
    kept = "out__weight" if left_out == "emb.weight" else "emb__weight"
    assert kept.replace("__", ".") in str(_refused(block, _with(once, **{kept: "_ _"}), SENTENCES))


def test_an_untied_way_out_may_name_its_words() -> None:
    module = Block()
    module.out.weight = nn.Parameter(torch.zeros(TOKENS, 8))
    _drawn(module)
    layout = _block_layout()
    tensors = {**layout.tensors, "out.weight": TensorSpec("words resid"), "out.bias": TensorSpec("words")}
    both = Layout((*layout.groups, Group.line("words", TOKENS)), tensors, outputs="words")
    assert max(verify(module, both, SENTENCES).deviations.values()) < 1e-12


def test_a_tensor_that_was_put_to_no_test_is_said() -> None:
    class Keyed(nn.Module):
        """Softmax over keys: a bias of the keys alone shifts all scores alike, and so does nothing."""

        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v = (nn.Linear(3, 4) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores = self.q(x) @ self.k(x).transpose(-1, -2)
            return torch.softmax(scores, -1) @ self.v(x)

    source, inner, out = Group.line("x", 3), Group.line("inner", 4), Group.line("out", 4)
    pieces = [linear(name, source=source, target=inner if name != "v" else out) for name in "qkv"]
    layout = Layout.merge(*pieces, inputs="x", outputs="out")
    certificate = verify(_drawn(Keyed()), layout, np.random.default_rng(0).normal(size=(2, 5, 3)))
    assert certificate.silent == ("k.bias",)


# ---- recurrence, buffers


class Memory(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(3, 6, batch_first=True)
        self.batch = nn.BatchNorm1d(6)
        self.out = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.batch(self.rnn(x)[0][:, -1]))


def _memory_layout(**patterns: str) -> Layout:
    x, h, y = Group.line("x", 3), Group.line("h", 6), Group.line("y", 2)
    running = {f"batch.running_{name}": TensorSpec("h", "buffer") for name in ("mean", "var")}
    counted = {"batch.num_batches_tracked": TensorSpec("")}
    pieces = (
        recurrent("rnn", source=x, state=h),
        norm("batch", target=h),
        Layout((h,), {**running, **counted}),
        linear("out", source=h, target=y),
    )
    return _with(Layout.merge(*pieces, inputs="x", outputs="y"), **patterns)


SERIES = np.random.default_rng(1).normal(size=(4, 5, 3))


def test_a_recurrent_layer_with_buffers_is_certified() -> None:
    assert max(verify(_drawn(Memory()), _memory_layout(), SERIES).deviations.values()) < 1e-12


@pytest.mark.parametrize(
    ("patterns", "where", "got"),
    [
        ({"rnn__weight_hh_l0": "h _"}, "tensor 'rnn.weight_hh_l0', axis 1", '"_"'),
        ({"rnn__bias_hh_l0": "_"}, "tensor 'rnn.bias_hh_l0', axis 0", '"_"'),
        ({"batch__running_mean": "_"}, "tensor 'batch.running_mean', axis 0", '"_"'),
        ({"batch__running_var": "6"}, "tensor 'batch.running_var', axis 0", '"6"'),
    ],
)
def test_a_state_or_buffer_left_out_is_named(patterns: dict[str, str], where: str, got: str) -> None:
    error = _refused(_drawn(Memory()), _memory_layout(**patterns), SERIES)
    assert (error.where, error.expected, error.got) == (where, '"h"', got)


def test_two_tokens_folded_on_the_same_slots() -> None:
    class Adder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.emb, self.fc = nn.Embedding(7, 4), nn.Linear(8, 3)

        def forward(self, pairs: torch.Tensor) -> torch.Tensor:
            return self.fc(self.emb(pairs).flatten(1))

    e, h = Group.line("e", 4), Group.line("h", 3)
    pairs = np.random.default_rng(0).integers(0, 7, (9, 2))
    right = Layout.merge(embedding("emb", target=e), linear("fc", source=e, target=h, copies=2), outputs="h")
    assert max(verify(_drawn(Adder()), right, pairs).deviations.values()) < 1e-12
    error = _refused(_drawn(Adder()), _with(right, fc__weight="h (e 2)"), pairs)
    assert (error.where, error.expected, error.got) == ("tensor 'fc.weight', axis 1", '"(2 e)"', '"(e 2)"')


# ---- what cannot be measured


def test_a_batch_of_the_wrong_width_is_refused() -> None:
    with pytest.raises(LayoutError) as caught:
        verify(SQUARE, SQUARE.layout(), ROWS[:, :3])
    assert caught.value.where == "group 'x', last axis of shape (16, 3)"


def test_a_module_that_cannot_be_run_is_an_input_error() -> None:
    with pytest.raises(InputError, match="the module cannot be run on x"):
        verify(_drawn(Memory()), _memory_layout(), SERIES[0, 0])


def test_outputs_must_be_finite_and_repeatable() -> None:
    with pytest.raises(InputError, match="not finite"):
        verify(SQUARE, SQUARE.layout(), ROWS * np.inf)

    class Noisy(MLP):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + torch.rand(1, generator=generator)

    generator = torch.Generator().manual_seed(0)
    noisy = Noisy([4, 4, 4, 4], generator=torch.Generator().manual_seed(0))
    with pytest.raises(InputError, match="different outputs each time"):
        verify(noisy, noisy.layout(), ROWS)


def test_groups_of_one_neuron_have_nothing_to_permute() -> None:
    module = MLP([1, 1], generator=torch.Generator().manual_seed(0))
    assert verify(module, module.layout(), ROWS[:, :1]) == Certificate({}, 1e-9, (), 0)


# ---- modules as others write them


class Foreign(nn.Module):
    """A layer that leaves double precision, has a buffer that is not saved, and answers with a mapping."""

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.inner, self.out = nn.Linear(4, 6), nn.Linear(6, 2)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        h = torch.softmax(self.inner(x).to(torch.float32), -1, dtype=torch.float32) * self.mask
        return {"logits": self.out(h.float().type_as(x)), "hidden": h}


def _foreign_layout() -> Layout:
    x, h, y = Group.line("x", 4), Group.line("h", 6), Group.line("y", 2)
    pieces = linear("inner", source=x, target=h), linear("out", source=h, target=y)
    return Layout.merge(*pieces, inputs="x", outputs="y")


def test_single_precision_inside_and_a_mapping_outside_are_no_hindrance() -> None:
    certificate = verify(_drawn(Foreign(torch.ones(1))), _foreign_layout(), ROWS)
    assert max(certificate.deviations.values()) < 1e-14


def test_an_undeclared_buffer_that_neurons_index_is_noticed() -> None:
    assert "permuting group 'h' changes" in str(_refused(_drawn(Foreign(torch.ones(6))), _foreign_layout(), ROWS))
    verify(_drawn(Foreign(torch.ones(6))), _with(_foreign_layout(), mask="h"), ROWS)
