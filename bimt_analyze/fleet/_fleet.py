"""What came of many files, and the ways to write it down."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bimt_train.extras import need
from bimt_train.showing import Shown, to_cell
from bimt_train.whole_files import made_folder, write_whole

from ._junit import to_junit
from ._member import Member
from ._tables import COLUMNS, records, to_csv, to_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Fleet(Shown):
    """What came of many files, in the order in which they were given.

    Attributes
    ----------
    members : tuple of Member
        One for each network.

    Examples
    --------
    >>> from bimt_analyze.fleet._member import Failure, Member
    >>> fleet = Fleet((Member("net", "net.pt", None, Failure("refused", "no such file"), 0.1),))
    >>> print(fleet.table().splitlines()[1])
    net         refused: no such file
    """

    members: tuple[Member, ...]

    def _brief(self) -> str:
        return self.statement

    def _repr_html_(self) -> str:
        shown = ("name", "edges", "modules", "modular", "p", "q", "matches", "exact", "formulas", "reason")
        rows = [[record[column] for column in shown] for record in records(self.members)]
        return to_cell(f"Fleet: {self.statement}", columns=shown, rows=rows)

    def to_frame(self) -> "pd.DataFrame":
        """One row a file.

        Returns
        -------
        pandas.DataFrame
            The columns of results.csv.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        return pd.DataFrame(records(self.members), columns=list(COLUMNS))

    @property
    def failed(self) -> tuple[Member, ...]:
        """The files that were not analysed."""
        return tuple(member for member in self.members if member.failure is not None)

    @property
    def missed(self) -> tuple[Member, ...]:
        """The files with a requirement that does not hold."""
        return tuple(member for member in self.members if member.missed)

    @property
    def holds(self) -> bool:
        """Whether all files were analysed and all requirements hold."""
        return not self.failed and not self.missed

    @property
    def statement(self) -> str:
        """All of this in one line."""
        count, failed, missed = len(self.members), len(self.failed), len(self.missed)
        said = f"{count - failed} of {count} file{'' if count == 1 else 's'} analysed"
        said += f", {failed} not" if failed else ""
        gates = any(member.findings for member in self.members)
        return said + (f"; requirements hold for {count - failed - missed}, not for {missed}" if gates else "")

    def table(self) -> str:
        """One line a file: the size of its circuit, its modules, p and q, formulas; or why it was not analysed."""
        return to_text(self.members)

    def to_json(self) -> dict[str, Any]:
        """The content of results.json: counts, and for each file the columns of the table and its findings."""
        files = [
            record | {"seconds": round(member.seconds, 3), "findings": [asdict(each) for each in member.findings]}
            for record, member in zip(records(self.members), self.members, strict=True)
        ]
        counts = {"files": len(self.members), "failed": len(self.failed), "missed": len(self.missed)}
        return {**counts, "statement": self.statement, "members": files}

    def save(self, folder: str | Path) -> None:
        """Write index.html, results.csv, results.json and junit.xml, and the reports that are not written yet.

        Parameters
        ----------
        folder : str or Path
            Where to; it is made if need be.
        """
        from ._fleet_page import render_index  # brings jinja2

        place = made_folder(folder)
        for member in self.members:
            write_reports(member, place)
        plain = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        texts = {
            "index.html": render_index(self.members, self.statement),
            "results.csv": to_csv(self.members),
            "results.json": plain,
            "junit.xml": to_junit(self.members),
        }
        for name, text in texts.items():
            write_whole(place / name, text)


def write_reports(member: Member, folder: Path) -> Member:
    """Write the reports of one file that are still held as texts.

    Parameters
    ----------
    member : Member
        The file.
    folder : Path
        Where to; it is made if need be.

    Returns
    -------
    Member
        Equal but for the texts.
    """
    if member.outcome is None:
        return member
    made_folder(folder)
    for form, text in member.outcome.texts.items():
        ending = {"markdown": "md"}.get(form, form)
        write_whole(folder / f"{member.name}.{ending}", text)
    return replace(member, outcome=replace(member.outcome, texts={}))
