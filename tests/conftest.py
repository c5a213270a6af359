"""What every test runs under: the shapes in annotations are enforced, and torch keeps to one thread."""

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

# The hook stays installed: the packages load their modules one by one, when a name is first used.
install_import_hook(["bimt_train", "bimt_analyze"], "typecheck.check")

# A busy machine is no failure, and what fails here fails everywhere.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Products this small are slower on more."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_thread_in_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that a test starts keep to one thread as well."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
