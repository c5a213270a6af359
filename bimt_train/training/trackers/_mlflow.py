"""MLflow: runs in a SQLite file, artifacts beside it."""

from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

from ._tracker import TRACKERS, TrackedRun

STORE, ARTIFACTS = "mlflow.db", "artifacts"


@TRACKERS.register(
    "mlflow",
    label="MLflow",
    sentence="Runs in mlflow.db with their checkpoints, which mlflow ui --backend-store-uri sqlite:///PATH shows.",
    module="mlflow",
    extra="mlflow",
)
class MlflowLogbook:
    """One run of an experiment. No state of MLflow's own is touched: a run of the caller's stays the active one."""

    def __init__(self, run: TrackedRun) -> None:
        from mlflow import MlflowClient

        place = run.place.resolve()
        place.mkdir(parents=True, exist_ok=True)
        self._client = MlflowClient(tracking_uri=f"sqlite:///{place / STORE}")
        found = self._client.get_experiment_by_name(run.experiment)
        experiment = (
            self._client.create_experiment(run.experiment, artifact_location=(place / ARTIFACTS).as_uri())
            if found is None
            else found.experiment_id
        )
        self._run = self._client.create_run(experiment, run_name=run.name).info.run_id
        for name, value in run.parameters.items():
            self._client.log_param(self._run, name, value)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Log metrics."""
        now = int(1000 * time())
        for name, value in figures.items():
            self._client.log_metric(self._run, name, value, timestamp=now, step=step)

    def end(self, record: Mapping[str, Any], checkpoint: Path) -> None:
        """Log record and checkpoint as artifacts, and end the run."""
        self._client.log_dict(self._run, dict(record), "record.json")
        self._client.log_artifact(self._run, str(checkpoint))
        self._client.set_terminated(self._run)
