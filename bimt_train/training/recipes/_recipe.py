"""Schedules as values: how lambda, the learning rate and relocation change over a run."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self, get_args

from ..._errors import InputError
from ...connection_cost._connection_cost import ConnectionCost
from ...showing import Shown
from ._recipe_parts import Phase, RandomRestarts, Relocation, Reuse

TrainingType = Literal["vanilla", "l1", "l1+local", "l1+swap", "bimt", "bimt+reuse"]


@dataclass(frozen=True, repr=False)
class Recipe(Shown):
    """Everything that a run depends on besides the task and the seed.

    The optimiser is Adam without weight decay (arXiv 2305.08746, section 3: AdamW with none). The learning rate rises
    linearly over ``warmup``, stays, and from ``decay_from`` on falls along a half cosine to ``final_lr`` times itself.
    The paper keeps it constant, which leaves the small weights trembling at the height of a step.

    Attributes
    ----------
    steps : int
        Updates of the weights.
    lr : float
        Learning rate.
    phases : tuple of Phase
        Lambda over the run; the first phase starts at 0.
    cost : ConnectionCost
        The connection cost.
    relocation : Relocation
        When and how neurons move.
    batch : int or None
        Rows a step; None takes all of them.
    warmup : float
        Fraction of the steps over which the learning rate rises.
    decay_from : float
        Fraction of the steps from which the learning rate falls; 1 keeps it constant.
    final_lr : float
        What the learning rate falls to, as a fraction of ``lr``.
    restarts : RandomRestarts or None
        Several first weights for each seed; None tries one.
    reuse : Reuse or None
        The rules that generate weights; None trains the weights themselves. Of the types of training, ``bimt+reuse``
        alone has them.

    Raises
    ------
    InputError
        A number is out of its range, or phases are out of order.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.

    Examples
    --------
    >>> recipe = Recipe(steps=100, lr=1e-2, decay_from=0.5)
    >>> recipe.lr_at(0), recipe.lr_at(75), recipe.phase_at(80).biases
    (0.01, 0.005, True)
    """

    steps: int = 5000
    lr: float = 2e-3
    phases: tuple[Phase, ...] = (Phase(0.0, 1e-3), Phase(0.25, 1e-2), Phase(0.75, 1e-3, biases=True))
    cost: ConnectionCost = field(default_factory=ConnectionCost)
    relocation: Relocation = field(default_factory=Relocation)
    batch: int | None = None
    warmup: float = 0.0
    decay_from: float = 1.0
    final_lr: float = 0.0
    restarts: RandomRestarts | None = None
    reuse: Reuse | None = None

    def __post_init__(self) -> None:
        starts = [phase.start for phase in self.phases]
        for name, fits, expected in (
            ("batch", self.batch is None or self.batch >= 1, "1 or more, or None"),
            ("warmup", 0 <= self.warmup <= 1, "a fraction of the steps, 0 to 1"),
            ("decay_from", 0 <= self.decay_from <= 1, "a fraction of the steps, 0 to 1"),
            ("final_lr", self.final_lr >= 0, "0 or more"),
            ("phases", all(phase.strength >= 0 for phase in self.phases), "strengths of 0 or more"),
        ):
            if not fits:
                raise InputError("a recipe out of range", where=name, expected=expected, got=str(getattr(self, name)))
        if self.steps < 1:
            raise InputError("a run needs steps", where="steps", expected="a positive number", got=str(self.steps))
        if not 0 < self.lr < math.inf:
            raise InputError("a run needs a learning rate", where="lr", expected="a positive number", got=str(self.lr))
        if not starts or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 1:
            raise InputError(
                "phases must follow each other",
                where="phases",
                expected="starts rising from 0, below 1",
                got=str(starts),
                hint="give each phase the fraction of the steps at which it begins",
            )

    def phase_at(self, step: int) -> Phase:
        """The phase that a step belongs to.

        Parameters
        ----------
        step : int
            Number of steps done before.

        Returns
        -------
        Phase
            The phase.
        """
        return [phase for phase in self.phases if phase.start * self.steps <= step][-1]

    def lr_at(self, step: int) -> float:
        """The learning rate of a step.

        Parameters
        ----------
        step : int
            Number of steps done before.

        Returns
        -------
        float
            The learning rate.
        """
        done = step / self.steps
        if done < self.warmup:
            return self.lr * (step + 1) / (self.warmup * self.steps + 1)
        if done <= self.decay_from:
            return self.lr
        fall = 0.5 * (1 + math.cos(math.pi * (done - self.decay_from) / (1 - self.decay_from)))
        return self.lr * (self.final_lr + (1 - self.final_lr) * fall)

    @property
    def replicas(self) -> int:
        """How many first weights each seed tries."""
        return 1 if self.restarts is None else self.restarts.replicas

    @property
    def restarts_end(self) -> int:
        """The steps after which each seed goes on with one replica; 0 without restarts."""
        return 0 if self.restarts is None else max(1, round(self.restarts.until * self.steps))

    @property
    def total_steps(self) -> int:
        """The steps of all replicas of one seed, added up."""
        return self.steps + (self.replicas - 1) * self.restarts_end

    def relocates_after(self, step: int) -> bool:
        """Whether neurons are relocated once this step is done.

        Parameters
        ----------
        step : int
            Number of steps done before.

        Returns
        -------
        bool
            True after every ``relocation.every``-th step.
        """
        every = self.relocation.every
        return every > 0 and self.relocation.method != "none" and (step + 1) % every == 0

    def steady_until(self, step: int) -> int:
        """The first step after this one before which lambda or places may have changed, or the run has ended.

        Parameters
        ----------
        step : int
            Number of steps done before.

        Returns
        -------
        int
            Number of steps done by then.

        Examples
        --------
        >>> recipe = Recipe(steps=1000, relocation=Relocation(every=200))
        >>> recipe.steady_until(0), recipe.steady_until(210), recipe.steady_until(900)
        (200, 250, 1000)
        """
        turns = [math.ceil(phase.start * self.steps) for phase in self.phases]
        every = self.relocation.every
        if every > 0 and self.relocation.method != "none":
            turns.append((step // every + 1) * every)
        return min(turn for turn in (*turns, self.steps) if turn > step)

    def as_type(self, kind: str) -> Self:
        """The recipe of one of the paper's five training types (arXiv 2305.08746, section 3, the ablation).

        ``vanilla`` pays nothing and moves nothing; ``l1`` pays the average price whatever the length; ``l1+local`` pays
        for length; ``l1+swap`` pays as ``l1`` does and relocates by length; ``bimt`` pays for length and relocates.
        A sixth is none of the paper's: ``bimt+reuse`` is ``bimt`` with weights that a few rules generate (`Reuse`).

        Parameters
        ----------
        kind : {"vanilla", "l1", "l1+local", "l1+swap", "bimt", "bimt+reuse"}
            The type.

        Returns
        -------
        Recipe
            The recipe with lambda, the cost, relocation and rules as the type has them.

        Raises
        ------
        InputError
            The type is unknown.

        Examples
        --------
        >>> Recipe().as_type("l1").cost.local
        False
        """
        if kind not in get_args(TrainingType):
            known = ", ".join(get_args(TrainingType))
            raise InputError("unknown training type", expected=known, got=str(kind), hint="name one of these")
        far, reuse = kind.removesuffix("+reuse"), self.reuse or Reuse()
        still = self.relocation if far in ("l1+swap", "bimt") else replace(self.relocation, method="none")
        phases = tuple(replace(phase, strength=0.0) for phase in self.phases) if kind == "vanilla" else self.phases
        cost = replace(self.cost, local=far in ("l1+local", "bimt"))
        return replace(self, phases=phases, cost=cost, relocation=still, reuse=None if far == kind else reuse)

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain values.

        Returns
        -------
        dict
            Field -> value, of lists, dicts, numbers, texts and None.
        """
        plain: dict[str, Any] = json.loads(json.dumps({**asdict(self), "cost": self.cost.to_json()}))
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`, as a checkpoint's ``config["recipe"]`` has it.

        Parameters
        ----------
        data : mapping
            What `to_json` returns.

        Returns
        -------
        Recipe
            The recipe.

        Raises
        ------
        InputError
            A field is missing, unknown or of another kind.

        Examples
        --------
        >>> Recipe.from_json(Recipe(steps=7).to_json()).steps
        7
        """
        try:
            parts = {
                "phases": tuple(Phase(**phase) for phase in data["phases"]),
                "cost": ConnectionCost.from_json(data["cost"]),
                "relocation": Relocation(**data["relocation"]),
                "restarts": RandomRestarts(**restarts) if (restarts := data.get("restarts")) else None,
                "reuse": Reuse(**reuse) if (reuse := data.get("reuse")) else None,
            }
            return cls(**{**data, **parts})
        except (KeyError, TypeError, ValueError) as error:
            got = f"{type(error).__name__}: {error}"
            raise InputError("a recipe that cannot be read", expected="what Recipe.to_json writes", got=got) from None
