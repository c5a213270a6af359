"""A fleet as JUnit's XML, which CI systems read."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from ._member import Member

SUITE = "bimt-analyze"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


def to_junit(members: Sequence[Member]) -> str:
    """One test case a file: a gate that does not hold is a failure, a file that was not analysed an error.

    Parameters
    ----------
    members : sequence of Member
        All files.

    Returns
    -------
    str
        The text of the file.
    """
    counts = {
        "tests": str(len(members)),
        "failures": str(sum(bool(member.missed) for member in members)),
        "errors": str(sum(member.failure is not None for member in members)),
        "time": f"{sum(member.seconds for member in members):.3f}",
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **counts, "skipped": "0"})
    for member in members:
        about = {"classname": SUITE, "name": member.name, "file": member.source, "time": f"{member.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", {key: _clean(text) for key, text in about.items()})
        if member.failure is not None:
            said = {"type": member.failure.kind, "message": _clean(member.failure.reason)}
            ElementTree.SubElement(case, "error", said).text = said["message"]
        elif member.missed:
            lines = [_clean(finding.line) for finding in member.missed]
            failure = ElementTree.SubElement(case, "failure", {"type": "requirement", "message": "; ".join(lines)})
            failure.text = "\n".join(lines)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
