"""More networks as other people save them: what else a chain may be taken for."""

import warnings

import torch
from torch import nn

from ._cases import Case, Truth
from ._modules import W, chain


def _matrices(names: str) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(2)
    return {f"{name}.weight": torch.randn(W, W, generator=draw) for name in names.split()}


def _bare(names: str) -> dict[str, torch.Tensor]:
    return {name.removesuffix(".weight"): tensor for name, tensor in _matrices(names).items()}


def _layers(names: str) -> dict[str, torch.Tensor]:
    """Layers with biases."""
    draw = torch.Generator().manual_seed(2)
    return {
        f"{n}.{k}": torch.randn(s, generator=draw) for n in names.split() for k, s in (("weight", (W, W)), ("bias", W))
    }


def _run(state: dict[str, torch.Tensor]) -> Truth:
    """What a plain chain with SiLU says, its layers in the order of the mapping."""
    weights = [tensor for name, tensor in state.items() if tensor.ndim == 2]
    biases = [tensor for name, tensor in state.items() if tensor.ndim == 1] or [torch.zeros(W)] * len(weights)

    def truth(x: torch.Tensor) -> torch.Tensor:
        for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            x = (nn.functional.silu(x) if index else x) @ weight.T + bias
        return x

    return truth


def siblings() -> list[Case]:
    """Small files; nearly all are square, so that shapes alone refuse nothing."""
    net = chain(W, W, W)
    state = net.state_dict()
    read = {
        "head of two layers": _layers("features.0 features.2 head.0 head.2"),
        "in, numbered, out": _layers("layer_in layers.0 layers.1 layer_out"),
        "value network": {f"value.{name}": tensor for name, tensor in state.items()},
        "eleven numbered layers": _layers(" ".join(f"fc{i}" for i in range(1, 12))),
        "camel case": _layers("hiddenLayer1 hiddenLayer2 hiddenLayer3"),
        "one layer": _layers("fc"),
        "blocks of one layer": _layers("blocks.0.linear blocks.1.linear blocks.2.linear"),
        "dense, dense_1": _layers("dense dense_1 dense_2"),
        "no biases": _matrices("fc1 fc2 fc3"),
        "letters that count": _layers("a b c"),
        "twelve numbered layers, and from 9 on": _layers("fc9 fc10 fc11 fc12"),
    }
    half = {name: tensor.half() for name, tensor in state.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to drop these tensors; files of them stay
        packed = torch.quantize_per_tensor(state["0.weight"], 0.05, 0, torch.qint8)
    of_packed = {**state, "0.weight": packed.dequantize()}
    whole = (state["0.weight"] * 40).to(torch.int8)
    one = torch.ones(W)
    refused = {
        "Karpathy's recurrent net": _bare("W_xh W_hh W_hy"),
        "torch's tutorial of recurrent nets": _matrices("i2h h2h h2o"),
        "gates by hand": _matrices("forget_gate input_gate output_gate"),
        "gates without the word": _matrices("reset update candidate"),
        "reservoir": _bare("W_in W_res W_out"),
        "weights and gradients": {"W1": whole.float(), "W1_grad": state["0.weight"]},
        "weights and moments": {**state, "0.weight.exp_avg": state["0.weight"]},
        "Bayesian layers": {f"{i}.{k}_{m}": t for i in (0, 2) for m in ("mu", "sigma") for k, t in
                            (("weight", state["0.weight"]), ("bias", state["0.bias"].abs()))},
        "GPT-2's feed-forward part": _layers("mlp.c_fc mlp.c_proj"),
        "class weights": {**state, "class_weights": torch.eye(W)},
        "an auxiliary output": _layers("fc1 fc2 aux"),
        "many heads": _layers("body heads.0 heads.1"),
        "value and advantage": _layers("body value_stream advantage_stream"),
        "two critics": _layers("q1.0 q1.2 q2.0 q2.2"),
        "DeepONet": _layers("branch.0 branch.2 trunk.0 trunk.2"),
        "deep sets": _layers("phi.0 phi.2 rho.0 rho.2"),
        "U-net": _layers("down1 down2 up2 up1"),
        "GraphSAGE": _matrices("conv1.lin_l conv1.lin_r"),
        "graph convolutions": _matrices("gc1 gc2"),
        "query alone beside key": _matrices("query key out"),
        "a residual block alone": _layers("inp block.fc1 block.fc2 out"),
        "a residual network of other words": _layers("stem stage1.a stage1.b stage2.a stage2.b head"),
        "an exponential average of one layer": {"fc1.weight": state["0.weight"], "fc1_avg.weight": state["2.weight"]},
        "last, before others": _layers("out mid inp"),
        "GAN": _layers("generator.0 generator.2 discriminator.0 discriminator.2"),
        "Fourier features": {"B": torch.eye(W), **state},
        "temperature": {**state, "temperature": torch.tensor(2.0)},
        "learned slope of an activation": {**state, "act.beta": torch.ones(W)},
        "class weights of a loss, one axis": {**state, "criterion.weight": torch.ones(W)},
        "int8 with an int32 bias": {"0.weight": whole, "0.scale": one, "0.bias": one.to(torch.int32)},
        "float8 with a scale": {**state, "0.weight": state["0.weight"].to(torch.float8_e4m3fn), "0.scale": one},
        "mean and variance of the inputs": {**state, "x_mean": torch.ones(W), "x_var": torch.ones(W)},
        "mean, std of either end": {**state, "mean": torch.ones(W), "std": torch.ones(W) * 2},
        "flax with batch statistics": {"params": {"Dense_0": {"kernel": torch.eye(W), "bias": torch.ones(W)},
            "BatchNorm_0": {"scale": torch.ones(W), "bias": torch.ones(W)}, "Dense_1": {"kernel": torch.eye(W)}},
            "batch_stats": {"BatchNorm_0": {"mean": torch.ones(W), "var": torch.ones(W)}}},
        "normalizer beside": {"model": state, "preprocess": {"a": torch.ones(W), "b": torch.ones(W)}},
        "gradients beside": {"model": state, "grads": {name: tensor * 2 for name, tensor in state.items()}},
        "tensors and a mapping": {**state, "previous": dict(state)},
        "adapter alone": {"fc.lora_A.weight": torch.ones(2, W), "fc.lora_B.weight": torch.ones(W, 2)},
        "mixture of experts": _layers("router experts.0 experts.1"),
        "torch's example of a variational autoencoder": _layers("fc1 fc21 fc22 fc3 fc4"),
        "matrices of a recurrent net": _matrices("U V W"),
        "recurrent, a letter each": _matrices("Wx Wh Wy"),
        "highway by its letters": _layers("H T"),
        "squeeze and excitation": _layers("fc1 se.fc1 se.fc2 fc2"),
        "T5's gated layer": _matrices("wi_0 wi_1 wo"),
        "feature-wise modulation": _layers("fc1 film fc2"),
        "a hypernetwork": _layers("hyper.0 main.0"),
        "duelling heads": _layers("fc adv val"),
        "an adapter beside layers": _layers("fc adapter.down adapter.up out"),
        "an adapter of other names": _matrices("fc lora_down lora_up out"),
        "real and imaginary parts": {"a.weight_real": torch.eye(W), "a.weight_imag": torch.eye(W)},
        "state space": _matrices("in_proj x_proj dt_proj out_proj"),
        "square pairs of a matrix and a vector": [(torch.eye(W), torch.ones(W))] * 3,
        "rows and their targets": (torch.ones(7, W), torch.ones(7)),
        "one layer, epoch by epoch": [dict(nn.Linear(W, W).state_dict()) for _ in range(3)],
        "parameters and their gradients, a list each": {"params": list(state.values()), "grads": list(state.values())},
        "haiku, square": {"linear": {"w": torch.eye(W), "b": torch.ones(W)}, "linear_1": {"w": torch.eye(W)}},
    }  # fmt: skip
    tall = chain(W, 5, 2)
    pairs = [(layer.weight.detach(), layer.bias.detach()) for layer in tall if isinstance(layer, nn.Linear)]
    listed = {
        "pairs of a matrix and a vector": pairs,
        "pairs of a matrix [in, out] and a vector": {"params": [(w.T, b) for w, b in pairs], "step": 3},
        "a list of parameters": [tensor for pair in pairs for tensor in pair],
        "layers as a list of mappings": {"layers": [{"weight": w, "bias": b} for w, b in pairs]},
    }
    return [
        *(Case(name, content, _run(content), "read") for name, content in read.items()),
        *(Case(name, content, tall, "read") for name, content in listed.items()),
        Case("half precision", half, _run({n: t.float() for n, t in half.items()}), "read"),
        Case("a quantised tensor", {**state, "0.weight": packed}, _run(of_packed), "read"),
        *(Case(name, content, None, "refused") for name, content in refused.items()),
    ]
