"""The records of the laws of motion in report.json."""

from typing import TYPE_CHECKING

from pydantic import Field

from ._record_base import Number, Record, finite

if TYPE_CHECKING:
    from ...motion import Motion
    from ...motion._driving_graph import DrivingGraph


class EquationRecord(Record):
    """One law of motion: the derivative of one variable."""

    variable: str
    left: str = Field(description="The left side: the variable with a mark for each derivative by time.")
    expression: str = Field(description="sympy text in the variables.")
    latex: str
    drivers: list[str] = Field(description="The variables that it depends on.")
    declared: bool = Field(description="Whether it was declared (the second order), and not searched.")


class ConservedRecord(Record):
    """A quantity that the equations keep constant."""

    expression: str
    drift: Number = Field(description="How far it departs from its first value, over what it could change.")
    exact: bool = Field(description="Whether its derivative is zero as an identity of the equations.")


class LawsOfMotionRecord(Record):
    """The equations of motion, checked by integration."""

    equations: list[EquationRecord]
    word: str = Field(description="What may be said of them, see docs/motion.md.")
    message: str = Field(description="How that was checked.")
    r2: Number = Field(description="Of whole trajectories, integrated from their first states.")
    held_r2: Number = Field(description="Of trajectories from held-out starts; null without such.")
    until: Number = Field(description="How long the longest of these lasts.")
    noise: list[Number] = Field(description="The estimated noise of each variable, in its own unit.")
    rival: list[str] = Field(description="Another form that describes the trajectories as well; empty without one.")
    conserved: list[ConservedRecord]
    cut: list[str] = Field(description="Stages of the search that the time limit cut short.")


class DriveRecord(Record):
    """What one variable has to do with the derivative of another."""

    source: str
    target: str
    joined: bool = Field(description="Whether living connections of the circuit lead from the one to the other.")
    effect: Number = Field(
        description="What holding the source at its mean changes of the network's derivative, as a share of that "
        "derivative's variance; null where the derivative is declared."
    )
    drives: bool = Field(description="Joined, and an effect of 0.001 or more.")


class DrivingRecord(Record):
    """Which variable drives which, as the network says."""

    drivers: dict[str, list[str]] = Field(description="Variable -> those that drive it.")
    pairs: list[DriveRecord]


class MotionRecord(Record):
    """What a network that was trained on trajectories tells of the system."""

    time: str = Field(description="What the times are called.")
    driving: DrivingRecord
    laws: LawsOfMotionRecord | None = Field(description="Null where formulas were not asked for.")


def motion_record(
    time: str, declared: dict[str, str], driving: "DrivingGraph", motion: "Motion | None"
) -> MotionRecord:
    """The system of motion as it is published.

    Parameters
    ----------
    time : str
        What the times are called.
    declared : dict of str to str
        Variables whose derivative is another variable by declaration.
    driving : DrivingGraph
        Which variable drives which.
    motion : Motion or None
        The equations.
    """
    graph = driving.to_json()
    pairs = [DriveRecord(**finite(pair)) for pair in graph["pairs"]]
    return MotionRecord(
        time=time,
        driving=DrivingRecord(drivers=graph["drivers"], pairs=pairs),
        laws=None if motion is None else _laws(motion, declared),
    )


def _laws(motion: "Motion", declared: dict[str, str]) -> LawsOfMotionRecord:
    return LawsOfMotionRecord(
        equations=[
            EquationRecord(
                variable=one.variable, left=one.left, expression=str(one.expression), latex=one.latex(),
                drivers=list(one.drivers), declared=one.variable in declared,
            )
            for one in motion.equations
        ],
        word=motion.word,
        message=motion.message,
        r2=finite(motion.r2),
        held_r2=finite(motion.held_r2),
        until=finite(motion.until),
        noise=[finite(one) for one in motion.noise],
        rival=[str(one.expression) for one in motion.rival],
        conserved=[
            ConservedRecord(expression=str(one.expression), drift=finite(one.drift), exact=one.exact)
            for one in motion.conserved
        ],
        cut=list(motion.cut),
    )  # fmt: skip
