"""Does a transformer's residual stream fall into subspaces?"""

from collections.abc import Iterator

from ..audits import MEASURES, AuditSubject, View
from ..audits.chance._stream_subspaces import Subspaces, subspaces
from ..transformers._residual_stream import has_stream


def _sentences(result: Subspaces, subject: AuditSubject) -> Iterator[str]:
    test, modules = result.significance, result.level.partition.modules
    parted = "The residual stream falls into no subspaces worth reporting"
    if len(modules) > 1:
        parted = f"The residual stream falls into {len(modules)} subspaces that are written and read together"
    yield (
        f"{parted}; {test.reached} streams whose units touch other positions are as modular "
        f"({test.p_and_z}): {test.conclusion}."
    )


def _view(result: Subspaces, subject: AuditSubject) -> View:
    test, positions = result.significance, [len(module) for module in result.level.partition.modules]
    return View(
        columns=("level", "subspaces", "positions of each", "modularity", "mean of null streams", "p"),
        rows=(
            (result.level.name, len(positions), ", ".join(map(str, positions)), test.observed, test.null_mean, test.p),
        ),
    )


def _applies(subject: AuditSubject) -> bool:
    return has_stream(subject.network)


@MEASURES.register(
    "subspaces",
    label="subspaces of the residual stream",
    sentence="Finds positions of a residual stream that are written and read together, and tests them against chance.",
    question="whether the residual stream falls into subspaces",
    topic="partition",
    sentences=_sentences,
    applies=_applies,
    fields="level, stability, positions of each subspace, significance; null without a residual stream.",
    view=_view,
    effort=3,
)
def measured(subject: AuditSubject) -> Subspaces:
    """Subspaces of the residual stream and how likely chance is to find as much.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    Subspaces
        The level and its test.
    """
    return subspaces(subject.network, samples=subject.options.samples, seed=subject.options.seed)
