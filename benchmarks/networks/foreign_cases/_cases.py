"""Networks as other people save them: each a file, what the network itself says, and what a reader should do."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
import torch.nn.utils.prune as prune
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils import spectral_norm as old_spectral_norm

from ._modules import Gated, Heads, LowRank, Normed, Parts, Residual, Scaled, Tokens, Twins, W, chain, drawn

X = np.random.default_rng(7).uniform(-1, 1, (60, 3))

Truth = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Case:
    """A file and what is right to do with it.

    ``content`` is saved by torch.save, or by ``save`` where given. ``truth`` is the network itself; None where no
    answer is right. ``expected`` is "read" or "refused".
    """

    name: str
    content: Any
    truth: Truth | None
    expected: str
    activation: str | None = "silu"
    save: Callable[[Any, Path], None] = torch.save
    suffix: str = ".pt"
    options: Mapping[str, Any] = field(default_factory=dict)


def _npz(content: Any, path: Path) -> None:
    np.savez(path, **{name: np.asarray(array) for name, array in content.items()})


def _positional(content: Any, path: Path) -> None:
    np.savez(path, *[np.asarray(array) for array in content.values()])


def _safetensors(content: Any, path: Path) -> None:
    safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in content.items()}, path)


def _legacy(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def _named(module: nn.Module, names: str) -> dict[str, torch.Tensor]:
    return dict(zip(names.split(), module.state_dict().values(), strict=True))


def _pruned() -> nn.Module:
    net = chain(W, W, W)
    for layer in (net[0], net[2]):
        prune.l1_unstructured(layer, "weight", 0.5)
        prune.random_unstructured(layer, "bias", 1)
    return net


def _normed(kind: Callable[[nn.Module], nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    net = chain(W, W, W)
    net[0], net[2] = kind(net[0]), kind(net[2])
    net.train()
    for _ in range(3):
        net(torch.randn(8, W))
    return net.eval()


def _batch_normed(*parts: nn.Module) -> nn.Sequential:
    net = drawn(nn.Sequential(*parts))
    draw = torch.Generator().manual_seed(5)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=draw))
            module.running_var.copy_(torch.rand(module.num_features, generator=draw) + 0.3)
    return net


def _kernels(net: nn.Module) -> dict[str, torch.Tensor]:
    """As Keras and JAX write them: kernels [in, out]."""
    written = {}
    linears = [module for module in net.modules() if isinstance(module, nn.Linear)]
    for index, layer in enumerate(linears):
        written |= {f"Dense_{index}.kernel": layer.weight.detach().T, f"Dense_{index}.bias": layer.bias.detach()}
    return written


def _numpy_names(net: nn.Module, transposed: bool) -> dict[str, np.ndarray]:
    written = {}
    for index, layer in enumerate((m for m in net.modules() if isinstance(m, nn.Linear)), start=1):
        weight = layer.weight.detach().numpy()
        written |= {f"W{index}": weight.T if transposed else weight, f"b{index}": layer.bias.detach().numpy()}
    return written


def _integers(net: nn.Sequential) -> tuple[dict[str, torch.Tensor], Truth]:
    state, layers = {}, copy.deepcopy(net)
    for at in (0, 2):
        weight = net[at].weight.detach()
        scale = weight.abs().amax(1) / 127
        whole = (weight / scale[:, None]).round().to(torch.int8)
        state |= {f"{at}.weight": whole, f"{at}.scale": scale, f"{at}.bias": net[at].bias.detach()}
        layers[at].weight.data = whole * scale[:, None]
    return state, layers


def cases() -> list[Case]:
    """About sixty files; most are square throughout, so that shapes alone refuse nothing."""
    net, slim = chain(W, W, W, W), chain(3, 5, 4, 2)
    state, small = net.state_dict(), slim.state_dict()
    tanh = chain(3, 5, 4, 2, act=nn.Tanh)
    ema = chain(W, W, W, W, seed=9).state_dict()
    rnn, gru = drawn(nn.RNN(W, W, batch_first=True)), drawn(nn.GRU(W, W, batch_first=True))
    whole, of_whole = _integers(chain(W, W, W))
    mask = torch.tensor([[1, 0, 1], [0, 1, 1], [1, 1, 0.0]])
    masked = chain(W, W, W)
    unmasked = copy.deepcopy(masked.state_dict())
    masked[0].weight.data *= mask
    gain = torch.tensor([0.5, 1.5, 2.0])
    low_rank = drawn(LowRank())
    average = torch.optim.swa_utils.AveragedModel(net)
    adam = torch.optim.Adam(slim.parameters())
    slim(torch.randn(4, 3)).sum().backward()
    adam.step()
    small = copy.deepcopy(slim.state_dict())
    slim = copy.deepcopy(slim)
    before = _batch_normed(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.SiLU(), nn.Linear(4, 2))
    after = _batch_normed(nn.Linear(3, 4), nn.SiLU(), nn.BatchNorm1d(4), nn.Linear(4, 2))
    first = _batch_normed(nn.BatchNorm1d(3), nn.Linear(3, 4), nn.SiLU(), nn.Linear(4, 2))
    no_activation = drawn(nn.Sequential(nn.Linear(W, W), nn.Linear(W, W), nn.SiLU(), nn.Linear(W, W)))
    ln = drawn(nn.Sequential(nn.Linear(W, W), nn.LayerNorm(W), nn.SiLU(), nn.Linear(W, W)))
    prelu = drawn(nn.Sequential(nn.Linear(W, W), nn.PReLU(W), nn.Linear(W, W)))
    attention = drawn(nn.MultiheadAttention(W, 1, batch_first=True))
    conv = drawn(nn.Sequential(nn.Conv1d(W, W, 1), nn.SiLU(), nn.Conv1d(W, W, 1)))
    eight = {f"blocks.{i}.weight": torch.eye(W) * (i + 1) for i in (0, 10, 11, *range(1, 10))}
    q, k, v, o = (torch.randn(W, W, generator=torch.Generator().manual_seed(i)) for i in range(4))
    scaled, bare = drawn(Scaled(("x_mean", "x_std", "y_mean", "y_std"))), drawn(Scaled(("mean", "std")))
    numbers = {f"fc{i}": layer for i, layer in enumerate((net[0], net[2], net[4]), start=1)}
    alphabetical = {f"{n}.{k}": t for n, layer in numbers.items() for k, t in layer.state_dict().items()}
    jumbled = {name: alphabetical[name] for name in sorted(alphabetical, reverse=True)}
    reads, refused = "read", "refused"

    def eights(x: torch.Tensor) -> torch.Tensor:
        for i in range(12):
            x = x * (i + 1)
            x = nn.functional.silu(x) if i < 11 else x
        return x

    def attends(x: torch.Tensor) -> torch.Tensor:
        return attention(x[:, None], x[:, None], x[:, None])[0][:, 0]

    return [
        # ---- one chain, saved in many ways
        Case("state dict", small, slim, reads),
        Case("state dict, square", state, net, reads),
        Case("old torch format", small, slim, reads, save=_legacy),
        Case("Lightning .ckpt", {"state_dict": {f"model.{n}": t for n, t in state.items()}, "epoch": 3,
             "pytorch-lightning_version": "2.5", "optimizer_states": [adam.state_dict()], "loops": {"a": {"b": 1}},
             "callbacks": {}, "lr_schedulers": []}, net, reads, suffix=".ckpt"),
        Case("training checkpoint .pth.tar", {"arch": "mlp", "state_dict": {f"module.{n}": t for n, t in state.items()},
             "optimizer": adam.state_dict(), "best_acc1": torch.tensor(3.0)}, net, reads, suffix=".pth.tar"),
        Case("nested under model", {"model": small, "epoch": 3, "optim": adam.state_dict()}, slim, reads),
        Case("deeply nested", {"run": {"last": {"weights": small}}}, slim, reads),
        Case("one mapping a layer", {f"fc{i}": net[2 * i].state_dict() for i in range(3)}, net, reads),
        Case("compiled", {f"_orig_mod.net.{n}": t for n, t in state.items()}, net, reads),
        Case("averaged model", average.state_dict(), net, reads),
        Case("safetensors", state, net, reads, save=_safetensors, suffix=".safetensors"),
        Case("safetensors, twelve layers", eight, eights, reads, save=_safetensors, suffix=".safetensors"),
        Case("safetensors, names without numbers, square", _named(net, "up.weight up.bias down.weight down.bias "
             "across.weight across.bias"), net, refused, save=_safetensors, suffix=".safetensors"),
        Case("safetensors, names without numbers, one order", _named(slim, "up.weight up.bias down.weight down.bias "
             "across.weight across.bias"), slim, reads, save=_safetensors, suffix=".safetensors"),
        Case("names with numbers, jumbled", jumbled, net, reads),
        Case("names without numbers", _named(net, "inp.weight inp.bias mid.weight mid.bias out.weight out.bias"),
             net, reads),
        Case("npz", small, slim, reads, save=_npz, suffix=".npz"),
        Case("npz, W1 b1 [in, out]", _numpy_names(slim, True), slim, reads, save=_npz, suffix=".npz"),
        Case("npz, W1 b1 [out, in]", _numpy_names(slim, False), slim, reads, save=_npz, suffix=".npz"),
        Case("npz, W1 b1, square", _numpy_names(net, True), net, refused, save=_npz, suffix=".npz"),
        Case("npz, W1 b1, square, told", _numpy_names(net, True), net, reads, save=_npz, suffix=".npz",
             options={"orientation": "in_out"}),
        Case("npz, arr_0 arr_1", _numpy_names(slim, True), slim, reads, save=_positional, suffix=".npz"),
        Case("kernels [in, out]", _kernels(slim), slim, reads),
        Case("kernels [in, out], square", _kernels(net), net, reads),
        Case("bfloat16", {n: t.bfloat16() for n, t in small.items()}, None, reads),
        Case("tanh in torch's spelling", tanh.state_dict(), tanh, reads, activation="nn.Tanh()"),
        # ---- several in one file
        Case("EMA beside, as a mapping", {"model": state, "ema": ema}, net, refused),
        Case("EMA beside, chosen", {"model": state, "ema": ema}, net, reads, options={"key": "model"}),
        Case("EMA beside, by prefix", {**{f"model.{n}": t for n, t in state.items()},
             **{f"ema.{n}": t for n, t in ema.items()}}, net, refused),
        Case("EMA of one layer, by prefix", {"model.a.weight": q, "ema.a.weight": q * 0.9}, lambda x: x @ q.T, refused),
        Case("list of networks", {"models": [state, ema]}, net, refused),
        Case("units beside the network", {"model": small, "x_mean": torch.zeros(3), "x_std": torch.ones(3) * 2},
             lambda x: slim(x / 2), refused),
        Case("two heads", (heads := drawn(Heads("head1", "head2"))).state_dict(), heads, refused),
        Case("mean and variance heads", (mu := drawn(Heads("mu", "logvar"))).state_dict(), mu, refused),
        Case("actor and critic", (ac := Twins("actor", "critic")).state_dict(), ac, refused),
        Case("two networks of other names", (twins := Twins("net_u", "net_p")).state_dict(), twins, refused),
        Case("ensemble", (several := Twins("0", "1")).state_dict(), several, refused),
        Case("encoder and decoder", (auto := Parts("encoder", "decoder")).state_dict(), auto, reads),
        # ---- tensors of other roles
        Case("pruned by torch", (pruned := _pruned()).state_dict(), pruned, reads),
        Case("mask beside a weight", {**unmasked, "0.mask": mask.bool()}, masked, reads),
        Case("mask of other numbers", {**unmasked, "0.mask": mask * 0.5}, masked, refused),
        Case("weight norm", (wn := _normed(parametrizations.weight_norm)).state_dict(), wn, reads),
        Case("weight norm, old names", {n.replace("parametrizations.weight.original0", "weight_g")
             .replace("parametrizations.weight.original1", "weight_v"): t for n, t in wn.state_dict().items()},
             wn, reads),
        Case("spectral norm", (sn := _normed(parametrizations.spectral_norm)).state_dict(), sn, reads),
        Case("spectral norm, old", (so := _normed(old_spectral_norm)).state_dict(), so, reads),
        Case("orthogonal", (orth := _normed(parametrizations.orthogonal)).state_dict(), orth, refused),
        Case("LoRA", low_rank.state_dict(), low_rank, refused),
        Case("LoRA, told", low_rank.state_dict(), low_rank, reads, options={"lora_scale": 2.0}),
        Case("batch norm before the activation", before.state_dict(), before, reads),
        Case("batch norm after the activation", after.state_dict(), after, reads),
        Case("batch norm of the inputs", first.state_dict(), first, reads),
        Case("batch norm by name", (bn := drawn(Normed(nn.BatchNorm1d(W), True))).state_dict(), bn, refused),
        Case("batch norm by name, told", bn.state_dict(), bn, reads, options={"batch_norm": "after"}),
        Case("layer norm", ln.state_dict(), ln, refused),
        Case("PReLU", prelu.state_dict(), prelu, refused),
        Case("x_mean, x_std, y_mean, y_std", scaled.state_dict(), scaled, reads),
        Case("mean, std of the inputs", bare.state_dict(), bare, reads),
        Case("int8 with a scale a row", whole, of_whole, reads),
        Case("int8 without a scale", {n: t for n, t in whole.items() if "scale" not in n}, of_whole, refused),
        Case("gain in a bias's place", {"a.weight": q, "a.gain": gain, "b.weight": k},
             lambda x: nn.functional.silu((x @ q.T) * gain) @ k.T, refused),
        Case("gamma in a bias's place", {"a.weight": q, "a.gamma": gain, "b.weight": k}, None, refused),
        # ---- no chains
        Case("no activation between two", no_activation.state_dict(), no_activation, refused),
        Case("RNN", rnn.state_dict(), lambda x: rnn(x[:, None])[0][:, 0], refused, activation="tanh"),
        Case("GRU", gru.state_dict(), lambda x: gru(x[:, None])[0][:, 0], refused, activation="tanh"),
        Case("attention of torch", attention.state_dict(), attends, refused),
        Case("q, k, v, o", {"q.weight": q, "k.weight": k, "v.weight": v, "o.weight": o}, None, refused),
        Case("W_q, W_k, W_v", {"W_q": q, "W_k": k, "W_v": v}, None, refused),
        Case("embedding", (emb := drawn(Tokens("embedding"))).state_dict(), emb, refused),
        Case("embedding under another name", (table := drawn(Tokens("table"))).state_dict(), table, refused),
        Case("convolution", conv.state_dict(), lambda x: conv(x[:, :, None])[:, :, 0], refused),
        Case("residual blocks", (res := drawn(Residual())).state_dict(), res, refused),
        Case("Llama's gated layer", (gated := drawn(Gated())).state_dict(), gated, refused),
        Case("graph network", {"adj": (q > 0).float(), "fc1.weight": q, "fc2.weight": k},
             lambda x: nn.functional.silu(x @ (q > 0).float().T @ q.T) @ k.T, refused),
        Case("a matrix of no known name", {"fc1.weight": q, "basis": v, "fc2.weight": k}, None, refused),
    ]  # fmt: skip
