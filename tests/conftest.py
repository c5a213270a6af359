"""What every test runs under: the shapes in annotations are enforced, and torch keeps to one thread."""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browsing
import loaded
import pytest
import torch
import typecheck
from hypothesis import settings

# The hook stays installed: the packages load their modules one by one, when a name is first used.
typecheck.install(["bimt_train", "bimt_analyze"])

# The libraries' million objects outlive every test: to look through them for garbage as often as usual takes a tenth of
# the whole run.
gc.set_threshold(100_000, 50, 100)

# A busy machine is no failure, and what fails here fails everywhere.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was loaded is never garbage: pytest collects some thrice at the end, which took seconds a process."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    typecheck.begin_test()


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Products this small are slower on more, in programs that a test starts as well.

    And work that is shared out among as many processes as there are cores is done in one: starting another takes
    longer than a test. Tests of sharing it out say how many they want.
    """
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        yield


@pytest.fixture
def forgotten_entries() -> Iterator[None]:
    """Tasks and cost terms that a test registers, and the files that it loads, are forgotten after it."""
    from bimt_train.connection_cost._cost_terms import COST_TERMS
    from bimt_train.registry import loaded_files
    from bimt_train.tasks import TASKS

    registries, files = (TASKS, COST_TERMS), loaded_files()
    known = [registry._found.keys() | registry._builtin.keys() for registry in registries]
    yield
    for registry, names in zip(registries, known, strict=True):
        for name in registry._found.keys() - names:
            del registry._found[name]
    for module in set(loaded_files()) - set(files):
        del sys.modules[module.__name__]


def save_linear(path: Path, seed: int = 0) -> Path:
    """A network of one layer, drawn by its seed, as a file of torch."""
    generator = torch.Generator().manual_seed(seed)
    state = {"weight": torch.randn(2, 2, generator=generator), "bias": torch.randn(2, generator=generator)}
    torch.save(state, path)
    return path


@pytest.fixture(scope="session")
def linear() -> Callable[..., Path]:
    """Writes a tiny network to a path."""
    return save_linear


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all pages."""
    with browsing.opened(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture(scope="session")
def go() -> Iterator[loaded.Go]:
    """Does commands and programs where all libraries are loaded."""
    with loaded.opened() as go:
        yield go
