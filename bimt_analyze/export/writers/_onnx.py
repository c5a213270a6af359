"""ONNX, for onnxruntime and all else that reads it."""

import json
import logging
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from bimt_train.extras import installed, need

from .._formats import EXPORT_FORMATS
from .._parts import Facts, Parts, Run, Written

if TYPE_CHECKING:
    import onnx


def variants(parts: Parts) -> tuple[str, ...]:
    """Whole, or modules apart."""
    from ._torch_programs import variants

    return variants(parts)


def load(data: bytes, parts: Parts) -> Run | None:
    """A session of onnxruntime, where that is installed."""
    if not installed("onnxruntime"):
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(x: Float32[np.ndarray, "rows inputs"]) -> Float32[np.ndarray, "rows *places outputs"]:
        return np.asarray(session.run(None, {"x": x})[0])

    return run


def pack(model: "onnx.ModelProto", parts: Parts, facts: Facts) -> Written:
    """The graph; what is known of it is the property ``circuit``."""
    del model.metadata_props[:]
    model.metadata_props.add(key="circuit", value=json.dumps(dict(facts)))
    numbers = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    return Written(model.SerializeToString(deterministic=True), numbers)


@EXPORT_FORMATS.register(
    "onnx",
    label="ONNX",
    sentence="A graph that onnxruntime runs, and all else that reads ONNX; weights dense.",
    ending=".onnx",
    variants=variants,
    pack=pack,
    load=load,
    runs_in="onnxruntime",
)
def build(parts: Parts, variant: str) -> "onnx.ModelProto":
    """The graph for any number of rows, from ``x`` to ``y``."""
    for package in ("torch", "onnx", "onnxscript"):
        need(package, "an export as .onnx")
    import torch

    from ._torch_programs import any_rows, example_rows, module_of, quiet

    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # which packages of torch are not there is not the user's matter
    try:
        with quiet():
            program = torch.onnx.export(
                module_of(parts, variant), (example_rows(parts.whole),), dynamo=True, verbose=False,
                dynamic_shapes=any_rows(), input_names=["x"], output_names=["y"],
            )  # fmt: skip
    finally:
        logger.setLevel(level)
    assert program is not None
    return program.model_proto
