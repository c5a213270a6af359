"""A report: what an analysis found, with the ways to write it down."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bimt_train.extras import need
from bimt_train.whole_files import made_folder, write_whole

from ._content import ReportContent
from ._markdown import render_markdown
from ._require import Finding, Requirement
from .records._report_record import record

if TYPE_CHECKING:
    import pandas as pd

    from bimt_train.training import Snapshot

    from ..viewer import NetworkView


@dataclass(frozen=True, eq=False, repr=False)
class Report(ReportContent):
    """What an analysis found, and the ways to write it down: JSON, Markdown, one HTML page.

    The attributes are those of `ReportContent`. Questions to a report never change it.

    Examples
    --------
    >>> from bimt_analyze import analyze
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import formula_task
    >>> runs = train(formula_task(["y = x1 + x2"]), seeds=1, recipe=Recipe(steps=40))
    >>> report = analyze(runs.best.checkpoint, samples=0, time_limit=0)
    >>> [finding.holds for finding in report.check("circuit.edges>0")]
    [True]
    """

    def _repr_html_(self) -> str:
        from ._cell import render_cell

        return render_cell(self)

    def to_frame(self) -> "pd.DataFrame":
        """One row a formula.

        Returns
        -------
        pandas.DataFrame
            ``output``, ``expression``, ``variables``, ``r2``, ``exact``, ``complexity``, and the two verdicts in words.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        rows = [{"output": name} | one.to_json() | {"verdict": one.verdict()} for name, one in self.formulas.items()]
        return pd.DataFrame(rows)

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return record(self).model_dump(mode="json")

    def to_json(self) -> dict[str, Any]:
        """The content of report.json, as docs/report.schema.json describes it."""
        plain: dict[str, Any] = json.loads(json.dumps(self._plain))
        return plain

    def to_markdown(self) -> str:
        """The report as Markdown, without pictures."""
        return render_markdown(self)

    def to_html(self) -> str:
        """The report as one page that needs nothing else: no script, no font, no picture from outside."""
        from .page._page import render_html

        return render_html(self)

    def to_view(self) -> "NetworkView":
        """The circuit as an interactive page: modules first, down to neurons and weights (`bimt_analyze.viewer`)."""
        from ._circuit_view import view_of

        return view_of(self)

    def to_film(self, snapshots: "Sequence[Snapshot]") -> "NetworkView":
        """The training as an interactive page: the network at each step, its neurons in the modules that came of it.

        Parameters
        ----------
        snapshots : sequence of Snapshot
            Those of this network's training, as `bimt_train.training.load_snapshots` reads them.

        Returns
        -------
        NetworkView
            The page.

        Raises
        ------
        InputError
            There are fewer than two snapshots, or they are of another network.
        """
        from ._circuit_view import film_view

        return film_view(self, snapshots)

    def check(self, requirement: str | Requirement) -> tuple[Finding, ...]:
        """Hold the report against a requirement such as ``agreement>=0.9``.

        Parameters
        ----------
        requirement : str or Requirement
            A field of report.json, a comparison and a number.

        Returns
        -------
        tuple of Finding
            One finding for every field that the requirement speaks of.

        Raises
        ------
        InputError
            The requirement cannot be read, or names a field that the report does not have.
        """
        parsed = Requirement.parse(requirement) if isinstance(requirement, str) else requirement
        return parsed.findings(self._plain)

    def save(
        self,
        *,
        html: str | Path | None = None,
        json: str | Path | None = None,
        markdown: str | Path | None = None,
        view: str | Path | None = None,
    ) -> None:
        """Write the report to files; folders are made if need be.

        Parameters
        ----------
        html : str, Path or None
            Where to write the page.
        json : str, Path or None
            Where to write the record for other programs.
        markdown : str, Path or None
            Where to write the Markdown.
        view : str, Path or None
            Where to write the interactive page of the circuit.
        """
        wanted = (
            (html, self.to_html),
            (json, self.to_json_text),
            (markdown, self.to_markdown),
            (view, lambda: self.to_view().html()),
        )
        for path, text in wanted:
            if path is not None:
                made_folder(Path(path).parent)
                write_whole(path, text())

    def to_json_text(self) -> str:
        """`to_json`, indented, as it stands in a file."""
        return json.dumps(self._plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
