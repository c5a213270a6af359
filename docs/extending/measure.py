"""An audit measure of one's own: how evenly the circuit's edges are spread over its modules."""

from collections.abc import Iterator

from bimt_analyze.audits import MEASURES, AuditSubject, View


def sentences(result: dict[str, list[int]], subject: AuditSubject) -> Iterator[str]:
    """Say the result in one sentence, with its numbers."""
    yield f"Its modules have {', '.join(map(str, result['edges']))} edges within them."


def view(result: dict[str, list[int]], subject: AuditSubject) -> View:
    """Show the result as a table of the page."""
    return View(columns=("module", "edges within it"), rows=tuple(zip(subject.names, result["edges"], strict=True)))


@MEASURES.register(
    "edges_per_module",
    label="edges per module",
    sentence="Counts the circuit's edges within each module.",
    question="how many edges each module has",
    topic="size",
    sentences=sentences,
    record=dict,
    fields="edges: one count a module.",
    view=view,
)
def edges_per_module(subject: AuditSubject) -> dict[str, list[int]]:
    """Count the edges whose two ends lie in one module."""
    nodes = [node.key for node in subject.graph.nodes]
    pairs = [(nodes[i], nodes[j]) for i, j in zip(subject.graph.edges.source, subject.graph.edges.target, strict=True)]
    return {"edges": [sum(a in module and b in module for a, b in pairs) for module in subject.modules]}
