"""``torch.export``: a program of torch's own operators, which bare torch loads."""

import io
import json
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from bimt_train.extras import need

from .._formats import EXPORT_FORMATS
from .._parts import Facts, Parts, Run, Written

if TYPE_CHECKING:
    import torch


def variants(parts: Parts) -> tuple[str, ...]:
    """Whole, or modules apart."""
    from ._torch_programs import variants

    return variants(parts)


def load(data: bytes, parts: Parts) -> Run:
    """Load the program as a stranger would."""
    import torch

    from ._torch_programs import quiet

    with quiet():
        program = torch.export.load(io.BytesIO(data))
    known = {**program.state_dict, **program.constants}
    constants = [known[one.target] for one in program.graph_signature.input_specs if one.target is not None]
    graph = program.graph_module.forward  # what `program.module()` calls, when it has checked what it reads

    def run(x: Float32[np.ndarray, "rows inputs"]) -> Float32[np.ndarray, "rows *places outputs"]:
        with torch.inference_mode():
            return np.asarray(graph(*constants, torch.from_numpy(x))[0])

    return run


def pack(program: "torch.export.ExportedProgram", parts: Parts, facts: Facts) -> Written:
    """The program; what is known of it is the extra file ``circuit.json``."""
    import torch

    from ._torch_programs import quiet

    buffer = io.BytesIO()
    with quiet():
        torch.export.save(program, buffer, extra_files={"circuit.json": json.dumps(dict(facts))})
    return Written(buffer.getvalue(), sum(tensor.nbytes for tensor in program.state_dict.values()))


@EXPORT_FORMATS.register(
    "pt2",
    label="torch.export",
    sentence="A program of torch's own operators, which torch loads where nothing else is installed; weights dense.",
    ending=".pt2",
    variants=variants,
    pack=pack,
    load=load,
    runs_in="torch.export.load",
)
def build(parts: Parts, variant: str) -> "torch.export.ExportedProgram":
    """The program for any number of rows."""
    need("torch", "an export as .pt2")
    import torch

    from ._torch_programs import any_rows, example_rows, module_of, quiet

    with quiet():
        return torch.export.export(module_of(parts, variant), (example_rows(parts.whole),), dynamic_shapes=any_rows())
