"""A module as a program of ATen operators, exported by torch or, where that fails, recorded while it runs."""

import contextlib
import functools
import io
import logging
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from ..._errors import InputError
from .._copied import copied
from .._inputs import Inputs, first_tensor
from ._recorder import Recorder


class _First(nn.Module):
    """A module that returns only the first tensor of what another returns."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return first_tensor(self.inner(*args, **kwargs))


@dataclass(frozen=True, eq=False)
class Program:
    """Operators in the order in which they run.

    Attributes
    ----------
    nodes : tuple of torch.fx.Node
        Placeholders first.
    tensors : mapping of str to str
        The module's tensor that a placeholder stands for.
    values : mapping of str to object
        The value of each placeholder and constant.
    inputs : tuple of str
        The placeholders of the module's inputs, in order.
    output : torch.fx.Node
        The node of the module's first output.
    recorded : bool, default False
        Whether only the operators of one run are known, because they depend on numbers.
    """

    nodes: tuple[fx.Node, ...]
    tensors: Mapping[str, str]
    values: Mapping[str, Any]
    inputs: tuple[str, ...]
    output: fx.Node
    recorded: bool = False


def program_of(module: nn.Module, inputs: Inputs) -> Program:
    """Translate a copy of a module, in evaluation mode, for the given ``inputs``.

    Raises
    ------
    InputError
        The module cannot be run on the inputs.
    """
    module = copied(module).cpu().eval()
    inputs = _as_precise(module, inputs)
    with _undisturbed():
        _run(module, inputs)
        try:
            return _exported(module, inputs)
        except Exception:  # whatever export cannot do, from control flow to its own faults
            return _recorded(module, inputs)


def _run(module: nn.Module, inputs: Inputs) -> None:
    """See that the module can be run, and gives a tensor."""
    try:
        outputs = first_tensor(module(*inputs.positional, **inputs.named))
    except Exception as error:
        hint = "give an input as the module's forward takes it: a tensor, a tuple, or a mapping of names"
        raise InputError("the module cannot be run on the example inputs", got=_reason(error), hint=hint) from error
    if not isinstance(outputs, Tensor):
        hint = "wrap the module so that it returns a tensor"
        raise InputError("no tensor among the module's outputs", got=type(outputs).__name__, hint=hint)
    if outputs.dtype == torch.bool:
        hint = "wrap the module so that it returns the numbers before they are compared"
        raise InputError("outputs that are truth values", got=str(outputs.dtype), hint=hint)


def exported_program(module: nn.Module, inputs: Inputs, shapes: Inputs) -> Program:
    """Translate a copy of a module, in evaluation mode, for arguments of other ``shapes`` than the ``inputs``.

    It is run on the inputs only, to see that it can be.

    Raises
    ------
    InputError
        The module cannot be run on the inputs, what it does depends on numbers, or torch cannot export it.
    """
    module = copied(module).cpu().eval()
    with _undisturbed():
        _run(module, _as_precise(module, inputs))
        try:
            return _exported(module, _as_precise(module, shapes))
        except Exception as error:
            hint = "write the module without a branch or a size that depends on its numbers"
            where = f"module {type(module).__name__}"
            raise InputError("a module that torch cannot export", where=where, got=_reason(error), hint=hint) from error


def _as_precise(module: nn.Module, inputs: Inputs) -> Inputs:
    floating = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.get_default_dtype())
    return inputs.floating(floating)


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """While inside, modules run by their operators alone, and nothing is printed, logged or warned of."""
    fast, quiet = torch.backends.mha.get_fastpath_enabled(), logging.root.manager.disable
    torch.backends.mha.set_fastpath_enabled(False)
    logging.disable(logging.CRITICAL)  # what cannot be exported is recorded, and nobody need read why
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        logging.disable(quiet)


def _exported(module: nn.Module, inputs: Inputs) -> Program:
    from torch.export import export
    from torch.export.graph_signature import InputKind, OutputKind

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exported = export(_First(module), inputs.positional, dict(inputs.named), strict=False)
        program = _decomposed(exported)
    signature = program.graph_signature
    _undo_splits(program.graph_module.graph)
    nodes = tuple(program.graph_module.graph.nodes)
    output: Any = nodes[-1].args[0]
    place = next(i for i, spec in enumerate(signature.output_specs) if spec.kind is OutputKind.USER_OUTPUT)
    stored = {**program.state_dict, **program.constants}
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    of: dict[int, str] = {}
    first = {name: of.setdefault(id(tensor), name) for name, tensor in named}
    given = iter((*inputs.positional, *inputs.named.values()))
    tensors, values, ends = {}, {}, []
    for spec in signature.input_specs:
        name = spec.arg.name
        if spec.kind is InputKind.USER_INPUT:
            ends.append(name)
            values[name] = next(given)
            continue
        values[name] = stored[str(spec.target)]
        if spec.kind in (InputKind.PARAMETER, InputKind.BUFFER):
            tensors[name] = first[str(spec.target).removeprefix("inner.")]
    return Program(nodes, tensors, values, tuple(ends), output[place])


def _undo_splits(graph: fx.Graph) -> None:
    """Where tensors are put side by side and taken apart again at the same places, read them as they were."""
    for node in graph.nodes:
        if node.target is not torch.ops.aten.split_with_sizes.default:
            continue
        whole, sizes, *rest = node.args
        axis = rest[0] if rest else node.kwargs.get("dim", 0)
        if not isinstance(whole, fx.Node) or whole.target is not torch.ops.aten.cat.default:
            continue
        pieces: Any = whole.args[0]
        across = whole.args[1] if len(whole.args) > 1 else whole.kwargs.get("dim", 0)
        count = whole.meta["val"].ndim
        lengths = [piece.meta["val"].shape[across] for piece in pieces]
        if axis % count != across % count or lengths != [*sizes]:
            continue
        for user in [each for each in node.users if each.target is operator.getitem]:
            user.replace_all_uses_with(pieces[user.args[1]])
    graph.eliminate_dead_code()


def _decomposed(exported: Any) -> Any:
    """The program in fewer operators, as `run_decompositions` of torch writes it, for small ones four times as fast.

    Torch first gives each of its 500 composed operators a rule, and takes the rules away at the end. Only these are
    given one here: those of the program, and those whose rule is no function in C++, which dissolves them anyway.
    """
    try:
        from torch.export.exported_program import _decompose_exported_program as decompose

        composed, table = _rules()
        found = {node.target for node in exported.graph.nodes}
        needed = {op: rule for op, rule in composed.items() if op in found or _in_python(op)}
        rest: dict[str, Any] = {"joint_loss_index": None, "decompose_custom_triton_ops": False}
        return decompose(exported, cia_to_decomp=needed, python_decomp_table=dict(table), **rest)
    except (ImportError, TypeError):  # another version of torch has other functions within
        return exported.run_decompositions(dict(_decompositions()))


def _in_python(op: Any) -> bool:
    kept = op is torch.ops.aten.scaled_dot_product_attention.default
    return kept or torch._C.DispatchKey.CompositeImplicitAutograd in op.py_kernels


@functools.cache
def _rules() -> tuple[Mapping[Any, Callable[..., Any]], Mapping[Any, Callable[..., Any]]]:
    """The rules of composed operators, those to be kept whole among them, and the rules of all others."""
    from torch.export.exported_program import _split_decomp_table_to_cia_and_python_decomp as split

    composed, table = split(dict(_decompositions()))
    return composed, table


@functools.cache
def _decompositions() -> Mapping[Any, Callable[..., Any]]:
    """How torch writes its operators in fewer ones; attention stays whole, as its pieces do not always fit a rule.

    Torch looks through all operators to write this table, which takes as long as the rest of an export.
    """
    from torch.export import default_decompositions

    table: dict[Any, Callable[..., Any]] = default_decompositions().materialize()
    return {op: rule for op, rule in table.items() if op is not torch.ops.aten.scaled_dot_product_attention.default}


def _recorded(module: nn.Module, inputs: Inputs) -> Program:
    from torch._decomp import core_aten_decompositions

    recorder = Recorder(core_aten_decompositions())
    tensors: dict[str, str] = {}
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        tensors[recorder.hold(tensor).name] = name
    given = (*inputs.positional, *inputs.named.values())
    ends = tuple(recorder.hold(value).name for value in given if isinstance(value, Tensor))
    with recorder:
        out = first_tensor(module(*inputs.positional, **inputs.named))
    output = recorder.node_of(out)
    recorder.graph.output(output)
    recorder.graph.eliminate_dead_code()
    return Program(tuple(recorder.graph.nodes), tensors, recorder.values, ends, output, recorded=True)
