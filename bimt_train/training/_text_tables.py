"""Runs and sweeps as tables for a terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # brings torch
    from ._runs import Runs
    from ._sweep import Sweep


def runs_table(runs: "Runs") -> str:
    """The runs as lines of text, best seed first.

    Parameters
    ----------
    runs : Runs
        What `train` returned.

    Returns
    -------
    str
        A line a seed.
    """
    lines = [f"{'seed':>4}  {'train loss':>10}  {'test loss':>10}  {'cost':>8}  {'edges':>5}  {'parameters':>10}"]
    for record in runs.to_json()["records"]:
        numbers = (record["train_loss"], record["test_loss"], record["cost"])
        said = [
            f"{'-' if n is None else format(n, spec):>{w}}"
            for n, spec, w in zip(numbers, ("10.2e", "10.2e", "8.2f"), (10, 10, 8), strict=True)
        ]
        fate = "" if record["diverged_at"] is None else f"  diverged before step {record['diverged_at']}"
        lines.append(
            "  ".join(
                [
                    f"{record['seed']:>4}",
                    *said,
                    f"{'-' if record['edges'] is None else record['edges']:>5}",
                    f"{record['parameters']:>10}",
                ]
            )
            + fate
        )
    return "\n".join(lines)


def sweep_table(found: "Sweep") -> str:
    """A sweep as lines of text: medians over the seeds, and quartiles of the test loss.

    Parameters
    ----------
    found : Sweep
        What `sweep` returned.

    Returns
    -------
    str
        A line a combination.
    """
    names = list(found.cells[0].values)
    head = [*names, "seeds", "diverged", "test loss", "quartiles", "cost", "edges"]
    rows = [head]
    for cell in found.to_json()["cells"]:
        loss, middle = cell["test_loss"], {name: cell[name]["median"] for name in ("cost", "edges")}
        quartiles = f"{_short(loss['lower_quartile'], '.2e')} to {_short(loss['upper_quartile'], '.2e')}"
        numbers = [
            _short(loss["median"], ".2e"),
            quartiles,
            _short(middle["cost"], ".2f"),
            _short(middle["edges"], ".0f"),
        ]
        rows.append(
            [*(str(cell["values"][name]) for name in names), str(cell["seeds"]), str(cell["diverged"]), *numbers]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in rows)


def _short(number: float | None, form: str) -> str:
    return "-" if number is None else format(number, form)
