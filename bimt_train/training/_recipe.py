"""Schedules as values: how lambda, the learning rate and relocation change over a run."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self, get_args

from .._errors import InputError
from ..connection_cost._connection_cost import ConnectionCost
from ..connection_cost._relocate import Method

TrainingType = Literal["vanilla", "l1", "l1+local", "l1+swap", "bimt"]


@dataclass(frozen=True)
class Phase:
    """A stretch of the run with one lambda.

    Attributes:
        start: the fraction of all steps at which it begins.
        strength: lambda, the weight of the connection cost in the loss.
        biases: whether biases pay in this phase.
    """

    start: float
    strength: float
    biases: bool = False


@dataclass(frozen=True)
class Relocation:
    """When and how neurons are dealt to new places.

    Attributes:
        every: steps between two relocations; 0 never relocates.
        method: as `relocate` takes it.
        top_k: how many neurons a group the greedy method tries.
    """

    every: int = 200
    method: Method = "assignment"
    top_k: int = 5


@dataclass(frozen=True)
class Race:
    """Several first weights for each seed; the one of the least training loss goes on, the others end.

    Test rows have no say in it. A network that settles in a poor minimum most often shows it early, and seldom leaves.

    Attributes:
        starts: first weights that each seed tries.
        until: the fraction of all steps at which one is taken.
    """

    starts: int = 4
    until: float = 0.2

    def __post_init__(self) -> None:
        if self.starts < 2 or not 0 < self.until <= 1:
            raise InputError(
                "no race", where="race", expected="2 starts or more, and a fraction of the steps above 0",
                got=f"starts={self.starts}, until={self.until}", mend="leave it out to begin once",
            )  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Everything that a run depends on besides the task and the seed.

    The optimiser is Adam without weight decay (arXiv 2305.08746, section 3: AdamW with none). The learning rate rises
    linearly over ``warmup``, stays, and from ``decay_from`` on falls along a half cosine to ``final_lr`` times itself;
    the paper keeps it constant, which leaves the small weights trembling at the height of a step.

    Attributes:
        steps: updates of the weights.
        lr: learning rate.
        phases: lambda over the run, the first at 0.
        cost: the connection cost.
        relocation: of neurons.
        batch: rows a step, or None for all of them.
        warmup: fraction of the steps.
        decay_from: fraction of the steps; 1 keeps the learning rate constant.
        final_lr: what the learning rate falls to, as a fraction of ``lr``.
        race: of several first weights a seed; None begins once.

    Raises:
        InputError: a number out of its range, or phases out of order.
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
    race: Race | None = None

    def __post_init__(self) -> None:
        starts = [phase.start for phase in self.phases]
        if self.steps < 1:
            raise InputError("a run needs steps", where="steps", expected="a positive number", got=str(self.steps))
        if not self.lr > 0:
            raise InputError("a run needs a learning rate", where="lr", expected="a positive number", got=str(self.lr))
        if not starts or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 1:
            raise InputError(
                "phases must follow each other",
                where="phases",
                expected="starts rising from 0, below 1",
                got=str(starts),
                mend="give each phase the fraction of the steps at which it begins",
            )

    def phase_at(self, step: int) -> Phase:
        """The phase that a step belongs to."""
        return [phase for phase in self.phases if phase.start * self.steps <= step][-1]

    def lr_at(self, step: int) -> float:
        """The learning rate of a step."""
        done = step / self.steps
        if done < self.warmup:
            return self.lr * (step + 1) / (self.warmup * self.steps + 1)
        if done <= self.decay_from:
            return self.lr
        fall = 0.5 * (1 + math.cos(math.pi * (done - self.decay_from) / (1 - self.decay_from)))
        return self.lr * (self.final_lr + (1 - self.final_lr) * fall)

    @property
    def starts(self) -> int:
        """How many first weights each seed tries."""
        return 1 if self.race is None else self.race.starts

    @property
    def race_ends(self) -> int:
        """The steps after which each seed goes on with one network; 0 without a race."""
        return 0 if self.race is None else max(1, round(self.race.until * self.steps))

    @property
    def steps_together(self) -> int:
        """The steps of all networks of one seed together."""
        return self.steps + (self.starts - 1) * self.race_ends

    def relocates_after(self, step: int) -> bool:
        """Whether neurons are relocated once this step is done."""
        every = self.relocation.every
        return every > 0 and self.relocation.method != "none" and (step + 1) % every == 0

    def as_type(self, kind: str) -> Self:
        """The recipe of one of the paper's five training types (arXiv 2305.08746, section 3, the ablation).

        ``vanilla`` pays nothing and moves nothing; ``l1`` pays the average price whatever the length; ``l1+local`` pays
        for length; ``l1+swap`` pays as ``l1`` does and relocates by length; ``bimt`` does all three.

        Raises:
            InputError: unknown type.
        """
        if kind not in get_args(TrainingType):
            known = ", ".join(get_args(TrainingType))
            raise InputError("unknown training type", expected=known, got=str(kind), mend="name one of these")
        still = self.relocation if kind in ("l1+swap", "bimt") else replace(self.relocation, method="none")
        phases = tuple(replace(phase, strength=0.0) for phase in self.phases) if kind == "vanilla" else self.phases
        cost = replace(self.cost, local=kind in ("l1+local", "bimt"))
        return replace(self, phases=phases, cost=cost, relocation=still)

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain values."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=sorted))
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`, as a checkpoint's ``config["recipe"]`` has it.

        Raises:
            InputError: a field is missing, strange or of another kind.
        """
        try:
            cost = {**data["cost"], "without_distance": frozenset(data["cost"]["without_distance"])}
            parts = {
                "phases": tuple(Phase(**phase) for phase in data["phases"]),
                "cost": ConnectionCost(**cost),
                "relocation": Relocation(**data["relocation"]),
                "race": Race(**race) if (race := data.get("race")) else None,
            }
            return cls(**{**data, **parts})
        except (KeyError, TypeError, ValueError) as error:
            got = f"{type(error).__name__}: {error}"
            raise InputError("a recipe that cannot be read", expected="what Recipe.to_json writes", got=got) from None
