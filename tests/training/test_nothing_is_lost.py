"""Runs that are stopped, killed, crowded or cut off: what they leave, and what goes on from there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from loaded import Go

from bimt_train import CheckpointError, InputError, Phase, Recipe, Relocation, train
from bimt_train._cli import main
from bimt_train.signals import held_signals
from bimt_train.tasks import independence
from bimt_train.training import Callback, _train
from bimt_train.training.engines._compiled_engine import CompiledEngine
from bimt_train.training.engines._torch_engine import TorchEngine
from bimt_train.training.state._run_folder import STATE_FILE, run_folder
from bimt_train.whole_files import write_whole

LONG = Recipe(steps=400, lr=5e-3, relocation=Relocation(every=10))  # measured every 4 steps
BATCHES = replace(LONG, batch=16)
TWO_PHASES = replace(LONG, phases=(Phase(0, 1e-3), Phase(0.37, 1e-2)))


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Tests, and the programs that they start, hear Ctrl-C, even where a background job of a shell runs them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def checkpoints(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("seed-*.safetensors"))}


@contextmanager
def at_step(number: int, do: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Do something in the middle of one of the steps that are still to come."""
    calls = [0]

    def counting(advance: Callable[..., None]) -> Callable[..., None]:
        def counted(engine, moments, stretch):
            before = calls[0]
            calls[0] += len(stretch.lrs)
            if before < number <= calls[0]:
                do()
            advance(engine, moments, stretch)

        return counted

    with monkeypatch.context() as patch:
        for engine in (TorchEngine, CompiledEngine):
            patch.setattr(engine, "advance", counting(engine.advance))
        yield


# ---- stopped


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, bytes]]:
    """The checkpoints of a run that nothing stops; each run is done once."""

    @cache
    def trained(recipe: Recipe, engine: str) -> dict[str, bytes]:
        folder = tmp_path_factory.mktemp("unbroken")
        train(independence(), seeds=2, recipe=recipe, engine=engine, out=folder)
        return checkpoints(folder)

    return trained


@pytest.mark.parametrize("number", [1, 2, 150, 203, 400])
@pytest.mark.parametrize("recipe", [BATCHES, TWO_PHASES])
@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_a_run_stopped_at_any_step_goes_on_to_the_same_bytes(number, recipe, engine, unbroken, tmp_path, monkeypatch):
    run = partial(train, independence(), seeds=2, recipe=recipe, engine=engine, out=tmp_path)
    with at_step(number, partial(signal.raise_signal, signal.SIGINT), monkeypatch):
        stopped = run()
    assert stopped.interrupted or number >= (400 if engine == "torch" else 397)  # the last steps were under way
    with at_step(401 - number, pytest.fail, monkeypatch):  # no step is done twice
        resumed = run(resume=True)
    assert not resumed.interrupted and resumed.runs[0].records[-1].step == 400
    assert checkpoints(tmp_path) == unbroken(recipe, engine)


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_a_run_saved_after_each_step_goes_on_to_the_same_bytes(engine, tmp_path, monkeypatch):
    """As if each step took longer than the time between two saves; what diverges goes back to its last measurement."""
    task = independence()

    def poisoned(seed: int):
        data = task.sampler(seed)
        return replace(data, y_train=data.y_train * 1e30) if seed == 1 else data

    sick, recipe = replace(task, sampler=poisoned), replace(LONG, steps=250)  # measured every other step
    unbroken = train(sick, seeds=2, recipe=recipe, out=tmp_path / "unbroken", engine=engine)
    monkeypatch.setattr(_train, "SAVE_SECONDS", 0.0)
    saved = train(sick, seeds=2, recipe=recipe, out=tmp_path / "saved", engine=engine)
    assert unbroken.runs[1].diverged_at == saved.runs[1].diverged_at == 2
    assert checkpoints(tmp_path / "saved") == checkpoints(tmp_path / "unbroken")


def test_stopped_before_the_first_measurement(tmp_path, monkeypatch, capsys):
    words = ["independence", "--seeds", "2", "--steps", "300", "--engine", "torch", "--quiet", "--out", str(tmp_path)]
    with at_step(2, partial(signal.raise_signal, signal.SIGINT), monkeypatch):
        assert main(words) == 130
    assert "interrupted after step 2; the same command with --resume goes on" in capsys.readouterr().err
    assert json.loads((tmp_path / "runs.json").read_text())["records"][0]["edges"] is None
    assert main([*words, "--resume"]) == 0


def test_a_second_signal_does_not_wait():
    seen = []
    with held_signals() as noted:
        signal.raise_signal(signal.SIGINT)
        assert noted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        seen.append(signal.getsignal(signal.SIGINT))
    assert seen == [signal.default_int_handler]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_background_job_goes_on_ignoring_what_it_was_told_to_ignore(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with held_signals() as noted:
            signal.raise_signal(number)
            assert not noted()
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_sigterm_takes_its_course_once_all_is_saved(tmp_path, monkeypatch):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append((tmp_path / "runs.json").exists()))
    try:
        with at_step(7, partial(signal.raise_signal, signal.SIGTERM), monkeypatch):
            runs = train(independence(), seeds=1, recipe=LONG, out=tmp_path)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [True] and runs.interrupted


# ---- killed


KILLED = ["independence", "--seeds", "2", "--steps", "40000", "--quiet", "--out"]


@pytest.fixture(scope="module")
def not_killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("not_killed")
    assert main([*KILLED, str(folder)]) == 0
    return checkpoints(folder)


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGINT, 130, "--resume goes on"),
        (signal.SIGTERM, 143, "--resume goes on"),
        (signal.SIGKILL, -9, ""),
    ],
)
def test_a_killed_command_goes_on_to_the_same_bytes(number, status, said, not_killed, tmp_path, capfd):
    run = subprocess.Popen(
        [sys.executable, "-m", "bimt_train", *KILLED, "killed"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "killed" / STATE_FILE).exists():
        assert run.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    run.send_signal(number)
    error = run.communicate()[1]
    assert run.returncode == status and said in error and "Traceback" not in error
    (tmp_path / "killed" / f".{STATE_FILE}.1.part").write_text("half a file")
    assert main([*KILLED, str(tmp_path / "killed"), "--resume"]) == 0
    assert checkpoints(tmp_path / "killed") == not_killed
    assert not list((tmp_path / "killed").glob("*.part")) + list((tmp_path / "killed").glob(".*.part"))


@pytest.mark.parametrize("package", ["bimt_train", "bimt_analyze"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_stopped_while_it_is_imported_shows_no_traceback(package, number, status):
    code = (
        f"import os, sys\nfrom {package}.__main__ import main\n"
        "class Stopping:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'click': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Stopping())\n"
        "sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n"), done.stderr[:6]) == (status, 1, "error:")


# ---- crowded, cut off


class Elsewhere(Callback):
    """A second run into the same folder, while the first is under way."""

    def __init__(self, go: Go, folder: Path) -> None:
        self.go, self.folder, self.refused = go, folder, ""

    def on_record(self, record) -> None:
        if not self.refused:
            words = ["bimt-train", "independence", "--quiet", "--out", str(self.folder)]
            done = self.go(words, self.folder.parent)  # in another process
            self.refused = f"{done.status} {done.stderr}"


def test_a_second_writer_is_refused(go, tmp_path):
    folder = tmp_path / "run"
    listener = Elsewhere(go, folder)
    train(independence(), seeds=1, recipe=replace(LONG, steps=5), out=folder, callbacks=[listener])
    assert listener.refused.startswith(f"2 error: another run writes into this folder: {folder}; hint:")
    train(independence(), seeds=1, recipe=replace(LONG, steps=5), out=folder)  # once the first is over


def test_a_full_disk_is_told_before_the_run_begins(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(0, 0, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(InputError, match=r"the disk is too full: .*expected 1 MB for .*, got 0 MB; hint: make room"):
        train(independence(), seeds=1, recipe=LONG, out=tmp_path)


def test_a_disk_that_fills_up_during_the_run_is_one_line(tmp_path, monkeypatch, capsys):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["independence", "--seeds", "1", "--steps", "9", "--quiet", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "got No space left on device" in error
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] in ([], [".lock"])


def test_a_report_that_is_being_written_into_the_folder_is_left_alone(tmp_path):
    for name in (".report.html.7.part", f".{STATE_FILE}.7.part", ".seed-000.safetensors.7.part", ".runs.json.7.part"):
        (tmp_path / name).write_text("half")
    with run_folder(tmp_path, 0):
        assert [path.name for path in tmp_path.glob("*.part")] == [".report.html.7.part"]


def test_a_file_is_written_where_a_link_leads_and_under_the_longest_name(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "new"
    write_whole(tmp_path / ("x" * 255), "long")
    assert (tmp_path / ("x" * 255)).read_text() == "long"


def test_what_is_no_file_is_written_to_as_it_is():
    code = (
        "from bimt_train.whole_files import write_whole;"
        "write_whole('/dev/stdout', 'all ü of it'); write_whole('/dev/null', b'')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "all ü of it"


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match=r"the folder cannot be written: .*taken"):
        train(independence(), seeds=1, recipe=LONG, out=tmp_path / "taken")
    with run_folder(None, 10**18):  # a run that writes nothing needs no room
        pass


# ---- another run's state, a damaged state


def table(path: Path, power: int) -> Path:
    x = np.linspace(0.0, 1.0, 60)
    path.write_text("a,y\n" + "".join(f"{value},{value**power}\n" for value in x))
    return path


def test_the_state_of_another_table_is_refused(tmp_path, capsys):
    words = ["--target", "y", "--seeds", "1", "--steps", "5", "--quiet", "--out", str(tmp_path / "run")]
    assert main([str(table(tmp_path / "a.csv", 2)), *words]) == 0
    capsys.readouterr()
    assert main([str(table(tmp_path / "a.csv", 3)), *words, "--resume"]) == 2
    assert "the run to resume has other data" in capsys.readouterr().err
    assert main(["y = x1**2", *words[2:], "--resume"]) == 2
    assert "the run to resume has other task" in capsys.readouterr().err
    assert main([str(table(tmp_path / "a.csv", 2)), *words, "--hidden", "7", "--resume"]) == 2
    assert "the run to resume has other model" in capsys.readouterr().err


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("state")
    train(independence(), seeds=2, recipe=replace(LONG, steps=8), out=folder)
    return (folder / STATE_FILE).read_bytes()


def test_no_flipped_bit_and_no_cut_is_accepted(state, tmp_path):
    rng = np.random.default_rng(0)
    resume = partial(train, independence(), seeds=2, recipe=replace(LONG, steps=8), out=tmp_path, resume=True)
    damaged = [state[: int(cut)] for cut in rng.integers(len(state), size=20)]
    for place in [*rng.integers(len(state), size=30), *rng.integers(9000, size=60)]:
        flipped = bytearray(state)
        flipped[place] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    for content in damaged:
        (tmp_path / STATE_FILE).write_bytes(content)
        with pytest.raises(CheckpointError, match="the state of the run cannot be read"):
            resume()
    (tmp_path / STATE_FILE).write_bytes(state)
    resume()
