"""What a training tells an experiment tracker, and what each tracker makes of it."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from bimt_train import InputError, Recipe, sweep, train
from bimt_train._cli import main
from bimt_train.checkpoints import load_checkpoint
from bimt_train.tasks import two_moons
from bimt_train.training import TRACKERS, Callback, LogTo
from bimt_train.training.trackers._tracker import TrackedRun

MOONS = two_moons(rows=(20, 20))
RECIPE = Recipe(steps=20, lr=1e-2, decay_from=0.5)
LINES = """
import json
from bimt_train.training import TRACKERS


@TRACKERS.register("lines", label="lines", sentence="A line of JSON for each thing that is told.")
class Lines:
    def __init__(self, run):
        self.file = run.place / f"{run.name}.jsonl"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.tell(run=[run.experiment, run.name], parameters=dict(run.parameters))

    def tell(self, **said):
        with self.file.open("a") as file:
            file.write(json.dumps(said, allow_nan=False) + "\\n")

    def log(self, step, figures):
        self.tell(step=step, **figures)

    def end(self, record, checkpoint):
        assert checkpoint.is_file()
        self.tell(record=record, checkpoint=str(checkpoint))
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """The name of a tracker in a user's file."""
    file = tmp_path_factory.mktemp("tracker") / "lines.py"
    file.write_text(LINES)
    return f"{file}:Lines"


def told(file):
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


def test_a_seed_is_a_run_that_is_told_all_its_measurements(lines, tmp_path):
    out = tmp_path / "moons"
    runs = train(MOONS, seeds=[3, 5], recipe=RECIPE, out=out, callbacks=[LogTo(lines)])
    records = {record["seed"]: record for record in json.loads((out / "runs.json").read_text())["records"]}
    for run in runs.runs:
        first, *measured, last = told(out / "lines" / f"seed-{run.seed:03d}.jsonl")
        assert first["run"] == ["moons", f"seed-{run.seed:03d}"]
        assert first["parameters"]["seed"] == run.seed and first["parameters"]["recipe.phases.1.strength"] == 1e-2
        assert [{k: v for k, v in m.items() if k not in ("lambda", "lr")} for m in measured] == list(run.history)
        assert "accuracy" in measured[0] and len(measured) == 20
        assert [m["lambda"] for m in measured] == [1e-3] * 5 + [1e-2] * 10 + [1e-3] * 5  # a quarter each, the paper's
        assert [m["lr"] for m in measured] == [RECIPE.lr_at(step) for step in range(20)] and measured[0]["lr"] == 1e-2
        assert last["record"] == records[run.seed]
        assert load_checkpoint(last["checkpoint"]).config["seed"] == run.seed


def test_an_interrupted_run_is_told_to_its_end_and_goes_on_as_another(lines, tmp_path):
    class Stop(Callback):
        def on_record(self, record):
            if record.step == 7:
                raise KeyboardInterrupt

    train(MOONS, seeds=1, recipe=RECIPE, out=tmp_path / "m", callbacks=[LogTo(lines), Stop()])
    train(MOONS, seeds=1, recipe=RECIPE, out=tmp_path / "m", resume=True, callbacks=[LogTo(lines)])
    said = told(tmp_path / "m" / "lines" / "seed-000.jsonl")
    assert [next(iter(each)) for each in said if "step" not in each] == ["run", "record", "run", "record"]
    steps = [each["step"] for each in said if "step" in each]
    assert steps == [*range(1, 8), *range(7, 21)]  # the seventh was told, and not kept


def test_figures_that_are_not_finite_are_left_out(lines, tmp_path):
    runs = train(MOONS, seeds=1, recipe=Recipe(steps=10, lr=1e30), out=tmp_path / "m", callbacks=[LogTo(lines)])
    assert runs.best.diverged_at is not None
    *_, before, last = told(tmp_path / "m" / "lines" / "seed-000.jsonl")
    assert "train_loss" not in before and "edges" in before and last["record"]["train_loss"] is None


def test_the_runs_of_a_sweep_are_in_one_place(lines, tmp_path):
    recipe = Recipe(steps=2)
    over = {"lambda": [1e-3, 1e-2]}
    sweep(MOONS, over, seeds=1, recipe=recipe, out=tmp_path / "s", callbacks=[LogTo(lines, tmp_path / "s")])
    for value in ("0.001", "0.01"):
        first, *_, last = told(tmp_path / "s" / "lines" / f"lambda={value}" / "seed-000.jsonl")
        assert first["run"] == ["s", f"lambda={value}/seed-000"]
        assert str(first["parameters"]["recipe.phases.1.strength"]) == value
        assert f"lambda={value}" in last["checkpoint"]


def test_without_a_folder_nothing_is_trained(lines):
    with pytest.raises(InputError, match=r"a tracker without a folder: lines: expected out; hint: train\(\.\.\., out"):
        train(MOONS, seeds=1, recipe=RECIPE, callbacks=[LogTo(lines)])


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_package_that_is_missing_is_named_with_its_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, TRACKERS[name].module, None)
    with pytest.raises(InputError, match=rf"needs another package: expected .*pip install 'bimt\[{name}\]'"):
        LogTo(name)


def test_from_the_shell(lines, tmp_path, capsys):
    words = ["two-moons", "--seeds", "1", "--steps", "3", "--quiet", "--log-to", lines, "--out", str(tmp_path / "m")]
    assert main(words) == 0
    assert [each.get("step") for each in told(tmp_path / "m" / "lines" / "seed-000.jsonl")] == [None, 1, 2, 3, None]
    assert "log-to" in (tmp_path / "m" / "run.toml").read_text()
    capsys.readouterr()
    assert main([*words[:-1], str(tmp_path / "n"), "--dask", "tcp://127.0.0.1:1"]) == 2
    assert "workers tell no tracker" in capsys.readouterr().err
    assert main(["two-moons", "--log-to", "mlfow", "--out", str(tmp_path / "n")]) == 2
    assert "did you mean mlflow?" in capsys.readouterr().err and not (tmp_path / "n").exists()


# ---- each tracker, by a double of what it calls, and by the package itself where that is installed ------------------


class Recorder:
    """An object that keeps every call of it, and of what hangs on it."""

    def __init__(self, calls, name=""):
        self._calls, self._name = calls, name

    def __getattr__(self, name):
        return Recorder(self._calls, f"{self._name}.{name}")

    def __call__(self, *given, **named):
        self._calls.append((self._name.removeprefix("."), given, named))
        return Recorder(self._calls, self._name)


def go_through(name, place, checkpoint):
    book = TRACKERS[name].function(TrackedRun(place, "moons", "seed-001", {"seed": 1, "recipe.lr": 0.5}))
    book.log(10, {"train_loss": 0.25, "edges": 7.0})
    book.log(20, {"train_loss": 0.125})
    book.end({"seed": 1, "train_loss": 0.125}, checkpoint)


@pytest.fixture
def checkpoint(tmp_path):
    (tmp_path / "seed-001.safetensors").write_bytes(b"weights")
    return tmp_path / "seed-001.safetensors"


def test_tensorboard_is_given_curves_and_texts(monkeypatch, tmp_path, checkpoint):
    calls = []
    double = ModuleType("torch.utils.tensorboard")
    double.SummaryWriter = Recorder(calls, "open")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", double)
    go_through("tensorboard", tmp_path / "tensorboard", checkpoint)
    assert calls[0] == ("open", (str(tmp_path / "tensorboard" / "seed-001"),), {})
    scalars = [given for name, given, _ in calls if name == "open.add_scalar"]
    assert scalars == [("train_loss", 0.25, 10), ("edges", 7.0, 10), ("train_loss", 0.125, 20)]
    texts = dict(given for name, given, _ in calls if name == "open.add_text")
    assert '"recipe.lr": 0.5' in texts["parameters"] and str(checkpoint) in texts["record"]
    assert calls[-1][0] == "open.close"


def test_mlflow_is_given_a_run_in_a_file_of_the_folder(monkeypatch, tmp_path, checkpoint):
    calls = []

    class Client(Recorder):
        def __init__(self, *given, **named):
            super().__init__(calls)
            calls.append(("open", given, named))

        def get_experiment_by_name(self, name):
            return None

        def create_experiment(self, name, artifact_location):
            calls.append(("create_experiment", (name, artifact_location), {}))
            return "7"

        def create_run(self, experiment, run_name):
            calls.append(("create_run", (experiment, run_name), {}))
            return SimpleNamespace(info=SimpleNamespace(run_id="r"))

    double = ModuleType("mlflow")
    double.MlflowClient = Client
    monkeypatch.setitem(sys.modules, "mlflow", double)
    place = tmp_path / "mlflow"
    go_through("mlflow", place, checkpoint)
    assert calls[0] == ("open", (), {"tracking_uri": f"sqlite:///{place}/mlflow.db"}) and place.is_dir()
    assert calls[1:3] == [
        ("create_experiment", ("moons", (place / "artifacts").as_uri()), {}),
        ("create_run", ("7", "seed-001"), {}),
    ]
    logged = [(given[1:], named["step"]) for name, given, named in calls if name == "log_metric"]
    assert logged == [(("train_loss", 0.25), 10), (("edges", 7.0), 10), (("train_loss", 0.125), 20)]
    assert ("log_param", ("r", "recipe.lr", 0.5), {}) in calls
    assert ("log_artifact", ("r", str(checkpoint)), {}) in calls and calls[-1][0] == "set_terminated"


def test_wandb_is_given_an_offline_run(monkeypatch, tmp_path, checkpoint):
    calls = []
    double = ModuleType("wandb")
    for name in ("init", "Settings", "Artifact"):
        setattr(double, name, Recorder(calls, name))
    monkeypatch.setitem(sys.modules, "wandb", double)
    go_through("wandb", tmp_path / "wandb", checkpoint)
    opened = next(named for name, _, named in calls if name == "init")
    assert opened["mode"] == "offline" and opened["dir"] == str(tmp_path) and opened["name"] == "seed-001"
    assert opened["config"] == {"seed": 1, "recipe.lr": 0.5} and opened["reinit"] == "create_new"
    assert [(given[0], named["step"]) for name, given, named in calls if name == "init.log"] == [
        ({"train_loss": 0.25, "edges": 7.0}, 10),
        ({"train_loss": 0.125}, 20),
    ]
    assert ("Artifact.add_file", (str(checkpoint),), {"policy": "immutable"}) in calls
    assert [name for name, _, _ in calls][-2:] == ["init.log_artifact", "init.finish"]


@pytest.mark.filterwarnings("ignore")  # of packages that are not ours
def test_tensorboard_itself_reads_what_was_written(tmp_path, checkpoint):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    go_through("tensorboard", tmp_path / "tensorboard", checkpoint)
    read = events.EventAccumulator(str(tmp_path / "tensorboard" / "seed-001")).Reload()
    assert [(each.step, each.value) for each in read.Scalars("train_loss")] == [(10, 0.25), (20, 0.125)]
    assert set(read.Tags()["tensors"]) == {"parameters/text_summary", "record/text_summary"}


@pytest.mark.filterwarnings("ignore")
def test_mlflow_itself_reads_what_was_written(tmp_path, checkpoint):
    mlflow = pytest.importorskip("mlflow", exc_type=ImportError)
    for _ in range(2):  # the second run joins the first one's experiment
        go_through("mlflow", tmp_path / "mlflow", checkpoint)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow/mlflow.db")
    (experiment,) = [found for found in client.search_experiments() if found.name == "moons"]
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2 and {run.info.status for run in runs} == {"FINISHED"} and mlflow.active_run() is None
    history = client.get_metric_history(runs[0].info.run_id, "train_loss")
    assert [(metric.step, metric.value) for metric in history] == [(10, 0.25), (20, 0.125)]
    assert {each.path for each in client.list_artifacts(runs[0].info.run_id)} == {"record.json", checkpoint.name}


@pytest.mark.filterwarnings("ignore")
def test_wandb_itself_writes_into_the_folder_and_nowhere_else(tmp_path, checkpoint, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    go_through("wandb", tmp_path / "wandb", checkpoint)
    (run,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    content = run.read_bytes()
    assert b"train_loss" in content and b"seed-001.safetensors" in content
    assert not [file for file in (tmp_path / "home").rglob("*") if file.is_file() and file.suffix != ".log"]
