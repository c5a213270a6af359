"""The shipped models and layouts: certified, refused when declared wrongly, stored and read back, stacked as alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bimt_train import CheckpointError, InputError, LayoutError, PatternError, verify
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, load_checkpoint, save_checkpoint
from bimt_train.layouts import TensorSpec
from bimt_train.models import GPT, MLP, RNN, EmbeddingMLP, ImageMLP, ProgramTransformer, RowTransformer

RNG = np.random.default_rng(0)
TOKENS = torch.randint(0, 7, (40, 2), generator=torch.Generator().manual_seed(0))
PIXELS = torch.rand((30, 12), generator=torch.Generator().manual_seed(0))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def embedded() -> EmbeddingMLP:
    return EmbeddingMLP(7, 2, 6, (8, 10, 7), generator=generator())


def image() -> ImageMLP:
    return ImageMLP((12, 9, 5), (3, 4), generator=generator())


def transformer() -> RowTransformer:
    return RowTransformer((0, 1, 0), 2, 12, heads=2, layers=2, hidden=7, generator=generator())


def gpt() -> GPT:
    return GPT(7, 2, 12, heads=2, layers=2, hidden=9, generator=generator())


def program() -> ProgramTransformer:
    return ProgramTransformer(7, 2, 12, [(9,), (2, 3), (5,)], 7, generator=generator())


def recurrent() -> RNN:
    return RNN(3, 4, 7, 2, generator=generator())


ROWS = torch.rand((30, 3), generator=torch.Generator().manual_seed(0)) - 0.5
MODELS = {
    "transformer": (transformer, ROWS),
    "gpt": (gpt, TOKENS),
    "program": (program, TOKENS),
    "embedding": (embedded, TOKENS),
    "image": (image, PIXELS),
    "rnn": (recurrent, PIXELS),
    "mlp": (lambda: MLP((12, 9, 5)), PIXELS),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_shipped_model_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    make, x = MODELS[name]
    network, rows = Network.of(make()), x.double().numpy()
    outputs = network.predict(rows)
    inputs, named = ([f"{end}{i}" for i in range(n)] for end, n in (("x", rows.shape[1]), ("y", outputs.shape[-1])))
    loss, y = ("next-token", rows) if outputs.ndim > 2 else ("mse", outputs)
    task = TaskSpec("any", tuple(inputs), tuple(named), ((0, 1),) * len(inputs), loss=loss)
    save_checkpoint(tmp_path / "m.safetensors", Checkpoint(network, task, Probe(rows, y, rows, y)))
    np.testing.assert_array_equal(load_checkpoint(tmp_path / "m.safetensors").network.predict(rows), outputs)


@pytest.mark.parametrize("name", MODELS)
def test_every_shipped_layout_is_certified(name: str) -> None:
    make, x = MODELS[name]
    module = make()
    certificate = verify(module, module.layout(), x)
    assert max(certificate.deviations.values()) < 1e-12
    # keys' biases add the same to every score of a query; nothing else goes unseen
    assert set(certificate.silent) <= {"places"}


@pytest.mark.parametrize(
    ("name", "tensor", "pattern"),
    [
        ("embedding", "layers.0.weight", "h1 (e 2)"),  # fold order
        ("embedding", "layers.0.weight", "(2 e) -> h1"),  # transposed
        ("embedding", "embedding.weight", "_ _"),  # an axis without its group
        ("embedding", "layers.1.bias", "_"),
        ("image", "layers.0.weight", "h1 _"),
        ("image", "layers.0.bias", "_"),
        ("image", "layers.1.weight", "h1 -> y"),
        ("transformer", "blocks.0.qkv.weight", "(a1 3) resid"),  # q, k, v in another order
        ("transformer", "blocks.1.norm2.weight", "_"),  # a norm that does not follow the stream
        ("transformer", "blocks.0.out.weight", "a1 -> resid"),
        ("transformer", "write.weight", "y _"),
        ("gpt", "embedding.weight", "_ _"),
        ("gpt", "positions.weight", "_ _"),  # a stream that positions do not follow
        ("gpt", "blocks.0.qkv.weight", "(a1 3) resid"),
        ("gpt", "blocks.1.down.weight", "m2 -> resid"),
        ("gpt", "norm.weight", "_"),
        ("gpt", "write.bias", "_"),
        ("program", "positions.weight", "_ _"),
        ("program", "parts.1.qkv.weight", "(a1 3) resid"),
        ("program", "parts.2.down.weight", "m2 -> resid"),
        ("program", "parts.0.up.bias", "_"),
        ("rnn", "recur.weight", "state _"),  # rows that follow the neurons, columns that do not
        ("rnn", "recur.weight", "_ state"),
        ("rnn", "read.weight", "x -> state"),  # transposed
        ("rnn", "read.bias", "_"),  # a forgotten bias
        ("rnn", "write.weight", "y _"),
        ("mlp", "layers.0.bias", "_"),
        ("mlp", "layers.1.weight", "h1 -> y"),
        ("mlp", "layers.0.weight", "_ x"),
    ],
)
def test_broken_variants_of_each_are_refused(name: str, tensor: str, pattern: str) -> None:
    make, x = MODELS[name]
    module = make()
    layout = module.layout()
    broken = replace(layout, tensors={**layout.tensors, tensor: TensorSpec(pattern)})
    with pytest.raises((LayoutError, PatternError)) as refused:
        verify(module, broken, x)
    assert tensor in str(refused.value)


@pytest.mark.parametrize("name", ["transformer", "gpt", "program"])
def test_heads_that_are_not_declared_are_refused(name: str) -> None:
    make, x = MODELS[name]
    module = make()
    layout = module.layout()
    broken = layout.with_groups([replace(layout.group("a1"), heads=1)])
    with pytest.raises(LayoutError, match="heads"):
        verify(module, broken, x)


def test_a_block_sees_no_order_in_what_comes_before() -> None:
    module = RowTransformer((0, 1, 0), 2, 12, heads=2, layers=1, hidden=7, generator=generator()).double()
    x = ROWS.double()
    first = module(x)
    swapped = RowTransformer((1, 0, 0), 2, 12, heads=2, layers=1, hidden=7).double()
    swapped.load_state_dict({n: t for n, t in module.state_dict().items() if n != "places"}, strict=False)
    torch.testing.assert_close(swapped(x[:, [1, 0, 2]]), first)  # two tokens before the last change places
    shuffled = x.clone()
    shuffled[:, 2] += 1.0
    assert not torch.allclose(module(shuffled), first)


def test_the_norms_of_a_transformer_are_applied() -> None:
    module = transformer()
    before = module(ROWS)
    for name in ("blocks.0.norm1", "blocks.1.norm2", "norm"):
        gain = module.get_submodule(name).weight
        with torch.no_grad():
            gain *= 3
            assert not torch.allclose(module(ROWS), before), name
            gain /= 3


@pytest.mark.parametrize("name", [name for name in MODELS if name != "program"])  # has none; vmap serves
def test_stacked_forward_is_the_forward_of_each(name: str) -> None:
    make, x = MODELS[name]
    twins = [make(), make()]
    for seed, module in enumerate(twins):
        drawn = torch.Generator().manual_seed(seed)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, generator=drawn)
    tensors = {
        n: torch.stack([dict(m.named_parameters())[n].detach() for m in twins]) for n, _ in twins[0].named_parameters()
    }
    rows = torch.stack([x.float(), x.float().flip(0)])
    together = twins[0].stacked_forward(tensors, rows)
    for k, module in enumerate(twins):
        torch.testing.assert_close(together[k], module(rows[k]), rtol=1e-5, atol=1e-5)


def test_an_image_keeps_its_pixels_in_place() -> None:
    layout = image().layout()
    assert not layout.group("x").movable
    assert layout.group("x").slots[5] == (0.375, 0.5)  # row 1, column 1 of 3 x 4
    assert layout.group("h1").slots == tuple(((c + 0.5) / 3, (r + 0.5) / 3) for r in range(3) for c in range(3))


def test_the_same_generator_draws_the_same_weights_and_leaves_torchs_own_alone() -> None:
    before = torch.random.get_rng_state()
    one, other = embedded().state_dict(), embedded().state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("tokens", [0, -1])
def test_an_embedding_without_tokens_is_refused(tokens: int) -> None:
    with pytest.raises(InputError, match="an embedding needs tokens"):
        EmbeddingMLP(tokens, 2, 6, (8, 7))


def language_checkpoint() -> Checkpoint:
    names = tuple(f"c{k}" for k in range(7))
    task = TaskSpec("text", ("t1", "t2"), names, ((0, 6), (0, 6)), loss="next-token")
    x = TOKENS.numpy().astype(np.float64)
    return Checkpoint(Network.of(gpt()), task, Probe(x, x, x[:9], x[:9]))


def program_checkpoint() -> Checkpoint:
    return replace(language_checkpoint(), network=Network.of(program()))


def row_checkpoint() -> Checkpoint:
    task = TaskSpec("rows", ("x1", "x2", "x3"), ("y1", "y2"), ((0, 1),) * 3)
    x = ROWS.numpy().astype(np.float64)
    return Checkpoint(Network.of(transformer()), task, Probe(x, x[:, :2], x, x[:, :2]))


def checkpoint() -> Checkpoint:
    task = TaskSpec("product", ("a", "b"), tuple(f"c{k}" for k in range(7)), ((0, 6), (0, 6)), loss="cross-entropy")
    x, y = TOKENS.numpy().astype(np.float64), np.eye(7)[RNG.integers(0, 7, 40)]
    return Checkpoint(Network.of(embedded()), task, Probe(x, y, x[:9], y[:9]))


def test_a_network_of_tokens_is_stored_and_read_back(tmp_path) -> None:
    path, kept = tmp_path / "net.safetensors", checkpoint()
    save_checkpoint(path, kept)
    read = load_checkpoint(path)
    np.testing.assert_array_equal(read.predict(kept.probe.x_test), kept.predict(kept.probe.x_test))
    assert read.network.layout == kept.network.layout


@pytest.mark.parametrize("make", [language_checkpoint, row_checkpoint])
def test_a_transformer_is_stored_and_read_back(tmp_path, make) -> None:
    path, kept = tmp_path / "net.safetensors", make()
    save_checkpoint(path, kept)
    np.testing.assert_array_equal(load_checkpoint(path).predict(kept.probe.x_test), kept.predict(kept.probe.x_test))


def test_targets_of_another_width_are_refused() -> None:
    kept = language_checkpoint()
    x = kept.probe.x_test
    with pytest.raises(CheckpointError, match=r"probe\.y_train.*2 columns.*got 7"):
        replace(kept, probe=Probe(x, np.zeros((9, 7)), x, np.zeros((9, 7))))


@pytest.mark.parametrize(
    ("make", "option", "value"),
    [
        *((checkpoint, *pair) for pair in [("tokens", 8), ("copies", 3), ("embedding", 5), ("widths", [8, 7])]),
        *((language_checkpoint, *pair) for pair in [("tokens", 8), ("context", 9), ("layers", 10**9), ("hidden", 3)]),
        *((program_checkpoint, *pair) for pair in [("parts", [[9], [2, 3]]), ("parts", [[9], [6], [5]]), ("width", 1)]),
        *((row_checkpoint, *pair) for pair in [("kinds", [0, 1]), ("outputs", 1), ("width", 14), ("layers", 1)]),
    ],
)
def test_options_that_contradict_the_tensors_are_refused(tmp_path, make, option: str, value: object) -> None:
    kept = make()
    model = replace(kept.network.model, options={**kept.network.model.options, option: value})
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, replace(kept, network=replace(kept.network, model=model)))
    with pytest.raises(CheckpointError, match="the model contradicts the tensors"):
        load_checkpoint(path)
