"""The examples of foreign loops run, and do what they print: fewer edges, at a lower cost."""

import re
import runpy
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "package"), [("own_loop", ""), ("huggingface_trainer", "transformers"), ("lightning_module", "lightning")]
)
def test_an_example_ends_with_fewer_edges_at_a_lower_cost(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if package:
        pytest.importorskip(package, reason=f"the example needs the extra '{package}'")
    monkeypatch.chdir(tmp_path)
    with torch.random.fork_rng():
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    said = re.findall(r"(?:before|after): cost ([\d.]+), edges (\d+)", capsys.readouterr().out)
    (cost, edges), (lower, fewer) = ((float(c), int(e)) for c, e in said)
    assert lower < 0.8 * cost
    assert fewer < 0.6 * edges
    assert not list(tmp_path.iterdir())
