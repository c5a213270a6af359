"""From a circuit to a file that runs where nothing of this project is installed."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.extras import installed
from bimt_train.pruning import Circuit
from bimt_train.showing import Shown
from bimt_train.whole_files import made_folder, write_whole

from ._compact import compact, separate
from ._compact_network import CompactNetwork
from ._formats import ExportFormat, export_format_of
from ._measurement import Measurement, Timing, dense_calls, least_seconds, timings
from ._parts import Parts, Run
from ._said import checked

if TYPE_CHECKING:
    from torch import nn

TOLERANCE = 1e-5
_PROBED, _TIMED = 2000, 500  # rows that are checked at most; that choose the fastest variant


@dataclass(frozen=True, eq=False, repr=False)
class Export(Shown):
    """A network in the files of one format, checked and measured.

    Attributes
    ----------
    files : mapping of str to bytes
        What each file holds, by what stands before its ending: nothing, or ``.1``, ``.2``, ... for modules apart.
    network : CompactNetwork
        What is left of the network.
    modules : tuple of CompactNetwork
        Its modules, or itself alone.
    variant : str
        How it is written, the fastest of what was tried.
    worst : float
        Largest distance of an output from the network's, on the rows that were checked, in units of the largest output
        or of 1, whichever is greater.
    checked_by : str
        What ran the file; empty where nothing here does.
    measurement : Measurement
        Speed and size, beside the dense network. Of modules apart, sizes alone.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> network = block_network(blocks=[(2, 3, 1)] * 2, seed=0).network
    >>> found = export_circuit(network, "two.safetensors", x=np.ones((5, 4)), write=False)
    >>> found.modules[1].inputs, found.worst < 1e-5
    (('x2', 'x4'), True)
    """

    files: Mapping[str, bytes]
    network: CompactNetwork
    modules: tuple[CompactNetwork, ...]
    variant: str
    worst: float
    checked_by: str
    measurement: Measurement

    def _brief(self) -> str:
        return f"{self.network._brief()}; {self.variant}"

    def lines(self) -> list[str]:
        """What there is to say of it, line by line."""
        whole = self.network
        modules = f", {len(self.modules)} modules" if len(self.modules) > 1 else ""
        kept = f"{len(whole.reads)} of {whole.columns} inputs, {whole.multiply_adds:,} weights{modules}; {self.variant}"
        check = (
            f"at most {self.worst:.1e} from the network, in {self.checked_by}" if self.checked_by else "not run here"
        )
        return [kept, *([whole.kept_whole] if whole.kept_whole else []), check, *self.measurement.lines()]

    def save(self, path: str | Path) -> tuple[Path, ...]:
        """Write the files.

        Parameters
        ----------
        path : str or Path
            The file; of modules apart, their numbers stand before its ending.

        Returns
        -------
        tuple of Path
            The files that were written.
        """
        path, written = Path(path), []
        made_folder(path.parent)
        for number, data in self.files.items():
            file = path.with_name(f"{path.stem}{number}{path.suffix}")
            write_whole(file, data)
            written.append(file)
        return tuple(written)


def export_circuit(
    circuit: Circuit | Network,
    path: str | Path,
    *,
    x: Float64[np.ndarray, "rows columns"],
    dense: Network | None = None,
    own: "nn.Module | None" = None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    apart: bool = False,
    measure: bool = True,
    tolerance: float = TOLERANCE,
    write: bool = True,
) -> Export:
    """Write a circuit to a file that runs where nothing of this project is installed.

    The file holds what is left: dead inputs and neurons are gone. It is loaded again, run on the rows and held against
    the network. In C and safetensors a matrix is dense or sparse, in C whichever is faster on this machine.

    Parameters
    ----------
    circuit : Circuit or Network
        What `bimt_train.prune` or `circuit_of` found, or any network.
    path : str or Path
        The file. Its ending says the format: ``.c``, ``.onnx``, ``.pt2`` or ``.safetensors``.
    x : array of shape (rows, columns)
        Rows in the network's own units, all columns: at least one, best some 2,000.
    dense : Network, optional
        The network before pruning, which is measured beside the export; the circuit's own network if left out.
    own : torch.nn.Module, optional
        The module that the network was read from (`from_module`), which is measured in place of the dense network; its
        arguments are made of the columns of x. A traced network runs its operators one by one, which is slower.
    inputs, outputs : sequence of str, optional
        Names of all columns and all outputs; x1, x2, ... and y1, y2, ... if left out.
    apart : bool
        Write each module to a file of its own, for separate machines: ``circuit.1.c``, ``circuit.2.c``, ...
    measure : bool
        Time variants, the export and the dense network; some seconds. Without, files are equal from call to call.
    tolerance : float
        How far an output may be from the network's, in units of the largest output, or of 1.
    write : bool
        Whether the files are written; else they are only returned.

    Returns
    -------
    Export
        The files, the check and the measurement.

    Raises
    ------
    InputError
        An unknown ending, a circuit without edges, a kind of model that the format cannot hold, or an export that does
        not give what the network gives.
    MissingExtra
        A package is not installed that the format needs.

    Examples
    --------
    >>> import tempfile
    >>> from bimt_analyze.synthetic import block_network
    >>> network = block_network(blocks=[(2, 3, 1)] * 2, seed=0).network
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = export_circuit(network, f"{folder}/two.c", x=np.ones((5, 4)), measure=False)
    ...     [path.name for path in found.save(f"{folder}/again.c")]
    ['again.c']
    """
    form, network = export_format_of(path), circuit.network if isinstance(circuit, Circuit) else circuit
    whole = compact(network, inputs=inputs, outputs=outputs)
    modules = separate(whole)
    name = function_name(Path(path).stem)
    rows = np.ascontiguousarray(x[:_PROBED], dtype=np.float64)
    expected = network.predict(rows)
    if apart and len(modules) > 1:
        each = [
            _written(form, Parts(one, (one,), f"{name}_{number}"), rows, expected[..., list(one.places)],
                     dense=None, own=None, tolerance=tolerance, measure=measure)
            for number, one in enumerate(modules, start=1)
        ]  # fmt: skip
        found = _together(whole, each, dense or network)
    else:
        parts = Parts(whole, modules, name)
        found = _written(
            form, parts, rows, expected, dense=dense or network, own=own, tolerance=tolerance, measure=measure
        )
    if write:
        found.save(path)
    return found


def _written(
    form: ExportFormat,
    parts: Parts,
    x: np.ndarray,
    expected: np.ndarray,
    *,
    dense: Network | None,
    own: "nn.Module | None",
    tolerance: float,
    measure: bool,
) -> Export:
    """One file in the fastest variant, checked."""
    facts = parts.facts()
    built: dict[str, Any] = {}
    kept = np.ascontiguousarray(x[:, list(parts.whole.reads)], dtype=np.float32)
    variants, runs = form.variants(parts), dict[str, Run | None]()
    for variant in variants if measure else variants[:1]:
        built[variant] = form.function(parts, variant)
        runs[variant] = form.load(form.pack(built[variant], parts, facts).data, parts)
    variant, run = _fastest(runs, kept)
    worst, by = 0.0, ""
    if run is not None:
        by, worst = form.runs_in, _distance(run(kept), expected)
        if not worst <= tolerance:
            raise InputError(
                "an export that does not give what the network gives", where=form.label,
                expected=f"outputs within {tolerance:g} of the largest", got=f"{worst:.2g}",
                hint="a larger tolerance, if single precision is too little for this network",
            )  # fmt: skip
        facts["check"] = {"rows": len(x), "worst": worst, "tolerance": tolerance, "by": by}
        facts["said"] = [checked(facts["check"])]
    written = form.pack(built[variant], parts, facts)
    speeds: tuple[Timing, ...] = ()
    dense_by = ""
    if measure and run is not None and dense is not None and installed("torch"):
        before, dense_by = dense_calls(dense, own)
        speeds = timings(run, before, x, parts.whole.reads)
    measurement = replace(_measurement(parts.whole, dense, written.numbers, speeds), dense_by=dense_by)
    if measure and dense is not None:
        facts["measurement"] = measurement.to_json()
        facts["said"] = [*facts.get("said", ()), *measurement.lines()]
        written = form.pack(built[variant], parts, facts)
    return Export({"": written.data}, parts.whole, parts.modules, variant, worst, by, measurement)


def _together(whole: CompactNetwork, each: Sequence[Export], dense: Network) -> Export:
    """The exports of modules apart as one."""
    numbers = sum(one.measurement.bytes for one in each)
    return Export(
        files={f".{number}": one.files[""] for number, one in enumerate(each, start=1)},
        network=whole,
        modules=tuple(one.network for one in each),
        variant=", ".join(dict.fromkeys(one.variant for one in each)),
        worst=max(one.worst for one in each),
        checked_by=each[0].checked_by,
        measurement=_measurement(whole, dense, numbers, ()),
    )


def _measurement(whole: CompactNetwork, dense: Network | None, numbers: int, speeds: Any) -> Measurement:
    size = 0 if dense is None else sum(4 * tensor.size for tensor in dense.tensors.values())
    weights = 0 if dense is None else compact(dense).multiply_adds
    return Measurement(speeds, numbers, size, whole.multiply_adds, weights)


def _fastest(runs: Mapping[str, Run | None], x: np.ndarray) -> tuple[str, Run | None]:
    """The variant that runs fastest here; the first where nothing runs, or there is no choice."""
    running = {variant: run for variant, run in runs.items() if run is not None}
    if len(running) < 2:
        variant = next(iter(running or runs))
        return variant, runs[variant]
    some = np.ascontiguousarray(np.resize(x, (_TIMED, x.shape[1])))
    calls: list[Callable[[], object]] = [partial(run, some) for run in running.values()]
    seconds = dict(zip(running, least_seconds(*calls), strict=True))
    variant = min(seconds, key=lambda name: seconds[name])
    return variant, running[variant]


def _distance(given: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference of an output, in units of the largest output or of 1."""
    if given.shape != expected.shape or not np.isfinite(given).all():
        return float("inf")
    return float(np.abs(given - expected).max(initial=0) / max(1.0, np.abs(expected).max(initial=0)))


def function_name(text: str) -> str:
    """A name for a function of C, from the name of a file.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Letters of ASCII, digits and underscores, a letter first; ``circuit_`` stands before what C or its library may
        know.
    """
    plain = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_")
    return plain if plain.startswith("circuit") else f"circuit_{plain}"
