"""A model card of a checkpoint: Markdown with a header of YAML, as model hubs read it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from .._errors import InputError
from ..expressions import Decomposition
from ..losses import LOSSES
from ..models import MODELS
from ..showing import cut, to_markdown
from ._checkpoint import Checkpoint
from ._network import EDGE
from ._task_score import SCORED_PREDICTIONS, TaskScore, score_of
from .own_outputs import OWN_OUTPUTS

if TYPE_CHECKING:
    import jinja2

LONGEST, MOST = 200, 80  # characters of a cell; rows of the table of training
TAGS = ("bimt", "modularity", "sparsity", "interpretability")
# What hubs call a task, by what its targets are.
PIPELINES = {
    "numbers": "tabular-regression",
    "class": "tabular-classification",
    "labels": "tabular-classification",
    "tokens": "text-generation",
}


@dataclass(frozen=True, kw_only=True)
class CardOptions:
    """What a card says besides what the checkpoint itself says.

    Attributes
    ----------
    license : str, default ""
        Under which licence the weights are given, as a hub calls it; empty says nothing.
    tags : sequence of str, default ()
        Words of the header besides `TAGS`.
    report : mapping of str to object, default {}
        The content of a report.json on this network.
    """

    license: str = ""
    tags: Sequence[str] = ()
    report: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name, words in (("license", [self.license] if self.license else []), ("tags", self.tags)):
            for word in words:
                if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:+/-]*", word):
                    expected = "letters, digits and any of . _ : + / -"
                    raise InputError("a word that no header holds", where=name, expected=expected, got=repr(word))


def model_card(checkpoint: Checkpoint, file: str, options: CardOptions) -> str:
    """Write the card.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network.
    file : str
        The name of the checkpoint's file, beside the card.
    options : CardOptions
        What the checkpoint does not say.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    InputError
        The report is of another network.
    """
    task, network = checkpoint.task, checkpoint.network
    score = _test_score(checkpoint)
    scale = ", ".join(f"{value:.4g}" for value in task.output_scale or ())
    text = _template().render(
        pipeline=PIPELINES[LOSSES[task.loss].targets],
        license=options.license,
        tags=tuple(dict.fromkeys((*TAGS, *options.tags))),
        file=file,
        task=task,
        trained="recipe" in checkpoint.config,
        inputs=task.input_labels or task.inputs,
        outputs=task.output_labels or task.outputs,
        model=network.model.kind,
        sizes=", ".join(f"{group} {size}" for group, size in network.layout.sizes.items()),
        known="" if task.decomposition is None else _known(task.decomposition),
        score=score,
        loss=task.judged_by,
        unit=f", in which outputs are divided by {scale}" if scale else "",
        unscored=_why_unscored(checkpoint),
        weights=sum(network.tensors[name].size for name in network.layout.weights()),
        alive=network.edges(),
        strong=network.edges(EDGE),
        edge=EDGE,
        training=list(_flat(checkpoint.config))[:MOST],
        report=None if options.report is None else _summary(options.report, checkpoint),
        ranges="; ".join(
            f"{name} {low:g} to {high:g}" for name, (low, high) in zip(task.inputs, task.ranges, strict=True)
        ),
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _known(parts: Decomposition) -> str:
    """Each subfunction with its formula, or with what it is made of."""
    formulas = [f"{name} = {text}" for name, text in parts.definitions]
    return "; ".join((*formulas, *(f"{name}: {' '.join(needed)}" for name, needed in parts.stated)))


def _test_score(checkpoint: Checkpoint) -> TaskScore | None:
    """How the network does on rows that it was not trained on; None where that cannot be asked."""
    task, probe = checkpoint.task, checkpoint.probe
    if _why_unscored(checkpoint):
        return None
    most = max(SCORED_PREDICTIONS // task.predictions, 1)
    x, y = probe.x_test[:most], probe.y_test[:most]
    outputs = checkpoint.network.predict(task.to_network_inputs(x))
    return score_of(outputs, task.to_network_targets(task.one_hot(y)), task)


def _why_unscored(checkpoint: Checkpoint) -> str:
    if checkpoint.network.model.kind not in MODELS:
        return "Its model is of a kind that is not installed here, so it was not run."
    if checkpoint.config.get("targets") == OWN_OUTPUTS:
        return "No targets are known: the file holds the network's own outputs in their place."
    return ""


def _summary(report: Mapping[str, Any], checkpoint: Checkpoint) -> list[str]:
    """The lines of a report's headline, if the report is on this network."""
    try:
        form, lines, of = report["format"], report["summary"], report["task"]
        told = (form, of["name"], list(of["inputs"]), list(of["outputs"]), report["provenance"]["training"])
        said = [" ".join(str(line).splitlines()) for line in lines]
    except (KeyError, TypeError) as error:
        expected, hint = "the content of a report.json", "give report.to_json(), or what bimt-analyze --json wrote"
        raise InputError("a report that cannot be read", expected=expected, got=repr(error), hint=hint) from error
    task = checkpoint.task
    own = ("bimt-report", task.name, list(task.inputs), list(task.outputs), json.loads(json.dumps(checkpoint.config)))
    for what, expected, got in zip(("format", "task", "inputs", "outputs", "training"), own, told, strict=True):
        if expected != got:
            where, hint = f"report, {what}", "analyse this network, and give that report"
            raise InputError(
                "a report on another network", where=where, expected=str(expected), got=str(got), hint=hint
            )
    return said


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested values as names with dots, and texts."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping | list | tuple) for inner in value):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{place}]")
    elif isinstance(value, list | tuple):
        yield name, cut(", ".join(map(str, value)), LONGEST)
    else:
        yield name, cut("none" if value is None else str(value), LONGEST)


@cache
def _template() -> "jinja2.Template":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bimt_train.checkpoints", package_path=""),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": to_markdown, "quoted": json.dumps}
    return environment.get_template("model_card.md")
