"""Which inputs and outputs go together, by what the network does?"""

from collections.abc import Iterator

from bimt_train import InputError

from ..audits import MEASURES, AuditSubject
from ..audits.functions._functional_modules import FunctionalModules


def _sentences(result: FunctionalModules, subject: AuditSubject) -> Iterator[str]:
    count, several = len(result.partition.modules), result.several
    if count < 2:
        yield "By what inputs do to outputs, inputs and outputs do not fall into groups."
        return
    some = ", ".join(several[:6]) + (f" and {len(several) - 6} more" if len(several) > 6 else "")
    rest = f"all but {some} serve one group alone" if several else "every hidden neuron serves one group alone"
    yield (
        f"By what inputs do to outputs, inputs and outputs fall into {count} groups; at least {result.within:.0%} of "
        f"the effect on each output comes from its own group; {rest} ({result.alone:.0%} of hidden neurons)."
    )


@MEASURES.register(
    "functional_modules",
    label="modules by function",
    sentence="Groups inputs and outputs by how much each output changes when an input is held fixed.",
    question="modules by function",
    topic="function",
    sentences=_sentences,
    fields="groups of inputs and outputs by effects: within, alone, several, effects (outputs x inputs).",
    effort=0.2,
)
def measured(subject: AuditSubject) -> FunctionalModules:
    """Modules by function, which were found when the level was chosen.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    FunctionalModules
        The groups and their effects.

    Raises
    ------
    InputError
        Inputs and outputs are no neurons, or effects cannot be measured.
    """
    subject.need_neurons()
    if subject.functional is None:
        raise InputError("the effects of single inputs cannot be measured in this network")
    return subject.functional
