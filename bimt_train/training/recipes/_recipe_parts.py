"""The parts of a recipe: stretches of one lambda, relocation, and random restarts."""

from dataclasses import dataclass

from ..._errors import InputError
from ...connection_cost._relocate import Method
from ...showing import Shown


@dataclass(frozen=True, repr=False)
class Phase(Shown):
    """A stretch of the run with one lambda.

    Attributes
    ----------
    start : float
        The fraction of all steps at which the phase begins.
    strength : float
        Lambda, the weight of the connection cost in the loss.
    biases : bool
        Whether biases pay in this phase.

    Examples
    --------
    >>> Phase(0.75, 1e-3, biases=True)
    Phase(start=0.75, strength=0.001, biases=True)
    """

    start: float
    strength: float
    biases: bool = False


@dataclass(frozen=True, repr=False)
class Relocation(Shown):
    """When and how neurons are assigned to new positions.

    Attributes
    ----------
    every : int
        Steps between two relocations; 0 never relocates.
    method : {"assignment", "swap", "none"}
        The rule, as `relocate` takes it.
    top_k : int
        How many neurons of a group the rule ``swap`` tries.

    Raises
    ------
    InputError
        A number is negative, or nothing would be tried.

    Examples
    --------
    >>> Relocation(every=100).method
    'assignment'
    """

    every: int = 200
    method: Method = "assignment"
    top_k: int = 5

    def __post_init__(self) -> None:
        if self.every < 0 or self.top_k < 1:
            raise InputError(
                "relocation that cannot be made", where="relocation", expected="every 0 or more, top_k 1 or more",
                got=f"every={self.every}, top_k={self.top_k}",
            )  # fmt: skip


@dataclass(frozen=True, repr=False)
class RandomRestarts(Shown):
    """Several replicas of each seed with different first weights, of which one goes on.

    After a fraction of the steps, the replica of the least training loss goes on, and the others end. Test rows are not
    looked at. A network that settles in a poor minimum most often shows it early, and seldom leaves.

    Attributes
    ----------
    replicas : int
        First weights that each seed tries, 2 or more.
    until : float
        The fraction of all steps after which one replica is kept.

    Raises
    ------
    InputError
        Fewer than two replicas, or a fraction that is not above 0 and at most 1.

    Examples
    --------
    >>> from bimt_train import Recipe
    >>> Recipe(steps=100, restarts=RandomRestarts(replicas=3, until=0.2)).total_steps
    140
    """

    replicas: int = 4
    until: float = 0.2

    def __post_init__(self) -> None:
        if self.replicas < 2 or not 0 < self.until <= 1:
            raise InputError(
                "restarts that cannot be made", where="restarts",
                expected="2 replicas or more, and a fraction of the steps above 0",
                got=f"replicas={self.replicas}, until={self.until}", hint="leave restarts out for one replica a seed",
            )  # fmt: skip


@dataclass(frozen=True, repr=False)
class Reuse(Shown):
    """Rules that generate weights at many places, so that what is used many times is learned and paid once.

    Each group of neurons falls into equal blocks. The weights from one block to another are a sum of rules, each times
    the coefficient of that place, plus weights of their own.

    Attributes
    ----------
    blocks : int
        Blocks that a group falls into; a group whose number of neurons is no multiple of it is one block.
    rules : int
        Rules for each shape of block.

    Raises
    ------
    InputError
        Fewer than two blocks, or no rule.

    Notes
    -----
    With T_k the rules, c coefficients and D own weights, block (p, q) of a tensor is ``sum_k c[p, q, k] T_k + D[p,
    q]``. A rule pays the least price of its places; a coefficient the mean price of the weights of its block; own
    weights pay as without rules.

    Examples
    --------
    >>> Reuse(blocks=5, rules=2)
    Reuse(blocks=5, rules=2)
    """

    blocks: int = 2
    rules: int = 1

    def __post_init__(self) -> None:
        if self.blocks < 2 or self.rules < 1:
            raise InputError(
                "rules that nothing uses twice", where="reuse", expected="2 blocks or more, 1 rule or more",
                got=f"blocks={self.blocks}, rules={self.rules}",
            )  # fmt: skip
