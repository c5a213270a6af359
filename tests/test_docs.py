"""Every command and every snippet of the README, the docs and the commands' help is run, in its order."""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import bimt_analyze.command._help
import bimt_train.command._help

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
EXTENDING = sorted((ROOT / "docs" / "extending").glob("*.py"))


def shown(page: Path) -> str:
    """A page as its readers see it: with the files that it includes."""
    return re.sub(
        r'^--8<-- "(.+)"$', lambda found: (ROOT / "docs" / found[1]).read_text(), page.read_text(), flags=re.M
    )


SNIPPETS = {page.name: re.findall(r"```python\n(.*?)```", shown(page), re.DOTALL) for page in PAGES}
COMMANDS = {
    page.name: [
        line for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL) for line in block.splitlines()
    ]
    for page in PAGES
}
for program, text in (("bimt-train", bimt_train.command._help.HELP), ("bimt-analyze", bimt_analyze.command._help.HELP)):
    COMMANDS[f"{program} --help"] = text.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
# What stands on several pages is run for the first of them, its comments aside.
WORDS = {name: [shlex.split(line, comments=True) for line in lines] for name, lines in COMMANDS.items()}
REPEATED = {
    name: [words for earlier in list(WORDS)[:place] for words in WORDS[earlier]] for place, name in enumerate(WORDS)
}
ANALYSED: dict[str, list[str]] = {}  # of each file, the command that analyses it first
for words in itertools.chain.from_iterable(WORDS.values()):
    if words[0] == "bimt-analyze":
        ANALYSED.setdefault(Path(words[1]).name, words)
GRAPHS = (".gexf", ".graphml")  # no options of networks
LAWS = {"--groups", "--form", "--functions", "--discrete"}  # nor of a table's law
SAY_FORMULAS = {"--export", "--certify", "--require", "--parts"}  # others do not show those that are found once more
# Enough for the circuits that the text promises, and no more than the tests can wait for.
ELSEWHERE = ("extending.md",)  # whose commands test_extending.py runs, each once
# Half trained here, or drawn: a search for formulas would find none, and take long.
LAWLESS = {"runs/curve/lambda=0.003", "runs/rules", "nets"}
TRAINED = ["bimt-train", "independence"]  # to its end and once, since what follows on a page reads it
SHORTER = {
    "bimt-train": ["--seeds", "2", "--quiet"],
    "bimt-analyze": ["--samples", "20", "--controls", "0", "--time-limit", "0.3", "--refit", "10", "--quiet"],
}


@pytest.fixture(scope="module")
def place(go, tmp_path_factory):
    """The reader's folder with what the docs take for granted: a table, a text, networks, the extensions."""
    folder = tmp_path_factory.mktemp("reader")
    for files in (folder, folder / "examples" / "data"):  # pages name them as if they were the reader's own
        shutil.copytree(ROOT / "examples" / "data", files, dirs_exist_ok=True)
    model = torch.nn.Sequential(torch.nn.Linear(2, 12), torch.nn.SiLU(), torch.nn.Linear(12, 1))
    model.load_state_dict(torch.load(folder / "model.pt", weights_only=True))
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    with torch.no_grad():
        given = model(torch.tensor(x, dtype=torch.float32)).numpy()[:, 0]
    signs = {"x1": x[:, 0], "x2": x[:, 1], "positive": (given > np.median(given)).astype(int)}
    pd.DataFrame(signs).to_csv(folder / "signs.csv", index=False)
    batch = np.repeat(np.arange(3), 20)
    decays = {"batch": np.array(["red", "blue", "green"])[batch], "t": np.tile(np.linspace(0, 4, 20), 3)}
    pd.DataFrame(decays | {"y": (1 + batch) * np.exp(-decays["t"])}).to_csv(folder / "batches.csv", index=False)
    a, b = np.array(list(itertools.product((0, 1), repeat=2)) * 10).T
    pd.DataFrame({"a": a, "b": b, "y": a ^ b, "carry": a & b}).to_csv(folder / "gates.csv", index=False)
    (folder / "nets").mkdir()
    x = torch.rand(60, 4, generator=torch.Generator().manual_seed(0))
    for seed in range(2):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.SiLU(), torch.nn.Linear(6, 2))
        torch.save(net.state_dict(), folder / "nets" / f"{seed}.pt")
    rows = torch.cat([x, net(x).detach()], dim=1).numpy()
    pd.DataFrame(rows, columns=["x1", "x2", "x3", "x4", "y1", "y2"]).to_csv(folder / "rows.csv", index=False)
    for file in EXTENDING:
        shutil.copy(file, folder)
    # trained to its end, so that each page stands alone: an audit of a network half trained finds nothing
    done = go([*TRAINED, *SHORTER["bimt-train"]], folder)
    assert done.status == 0, done.stderr
    return folder


def in_place(words, folder):
    scripts = str(Path(sys.executable).parent)
    env = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=env)


def analysed_before(words):
    """Whether an earlier command looks for the formulas of the same network, and this one is not about them."""
    network = Path(words[1]).name
    return words != ANALYSED[network] and not network.endswith((*GRAPHS, ".csv")) and not SAY_FORMULAS & {*words}


@pytest.mark.parametrize("page", [name for name, lines in COMMANDS.items() if lines and name not in ELSEWHERE])
def test_commands_run(page, place, go):
    """A page's commands in one test, so that each finds what those above it left."""
    for line, words in zip(COMMANDS[page], WORDS[page], strict=True):
        if words == TRAINED or words in REPEATED[page]:
            continue
        fewer = ["--seeds", "1"] if "--steps" in words else []  # unfinished anyway
        if words[0] == "bimt-train" and not fewer:
            fewer = ["--steps", "300"]
        if words[0] == "bimt-analyze" and {"--out", "--audit"} & {*words}:  # trained networks cost most of an audit
            fewer = ["--retrain", "5" if "--retrain" in words else "0"]
        shorter = SHORTER[words[0]] if not words[1].endswith(GRAPHS) else SHORTER[words[0]][:2]
        if words[0] == "bimt-analyze" and (LAWLESS & {*words} or analysed_before(words)):
            fewer += ["--time-limit", "0"]
        if LAWS & {*words}:
            shorter = ["--time-limit", "0.2"]
        if "--time" in words and words[0] == "bimt-analyze":
            shorter = ["--time-limit", "2", "--quiet"]
        done = go([*words, *shorter, *fewer], place)
        assert done.status == 0, f"{line}\n{done.stderr}"
        for option in ("--html", "--json"):
            if option in words:
                assert (place / words[words.index(option) + 1]).exists(), line


@pytest.mark.parametrize("program", SHORTER)
def test_programs_are_installed(program, tmp_path):
    done = in_place([program, "--help"], tmp_path)
    assert done.returncode == 0 and done.stdout.startswith(f"Usage: {program} "), done.stderr


def shortened(snippet):
    """The snippet with fewer steps of training, search and refit; what it calls stays."""
    for long, short in (
        ("seeds=16)", "seeds=2, recipe=__import__('bimt_train').Recipe(steps=200))"),
        ("analyze(runs.best.checkpoint)", "analyze(runs.best.checkpoint, time_limit=0.3, refit_steps=10)"),
        ("retrain_steps=0)", "retrain_steps=0, refit_steps=0, controls=0)"),
        ("circuit_of(run.checkpoint)", "circuit_of(run.checkpoint, refit_steps=0)"),
        ("time_limit=1.0).agreement", "time_limit=0.0, refit_steps=0).agreement"),
        ("time_limit=10)", "time_limit=1)"),
        ("frames=20", "frames=3"),
    ):
        assert any(long in one for snippets in SNIPPETS.values() for one in snippets), long
        snippet = snippet.replace(long, short)
    return snippet


@pytest.mark.parametrize("page", [name for name, snippets in SNIPPETS.items() if snippets])
def test_snippets_run(page, place, go):
    done = go(["python", *map(shortened, SNIPPETS[page])], place)
    assert done.status == 0, done.stderr


@pytest.mark.parametrize("program", SHORTER)
def test_the_help_has_a_few_examples(program):
    examples = WORDS[f"{program} --help"]
    assert 3 <= len(examples) <= 5 and {words[0] for words in examples} <= set(SHORTER)


def test_the_ways_from_python_are_under_ten_lines():
    assert all(len(snippet.strip().splitlines()) < 10 for snippet in SNIPPETS["README.md"])


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^    |`)make ([a-z]+)", README.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_files_that_the_pages_link_exist(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
        if not target.startswith("reference/"):  # made with the site, whose build refuses missing pages
            assert (page.parent / target).exists(), target
