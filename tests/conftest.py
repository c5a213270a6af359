"""What every test runs under: shapes in annotations are enforced, and torch keeps to one thread."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by numpy and torch when they are imported, here and in children

from jaxtyping import install_import_hook

# The hook stays: the packages are loaded lazily, module by module, for as long as the tests run.
install_import_hook(["bimt_train", "bimt_analyze"], "beartype.beartype")

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)
