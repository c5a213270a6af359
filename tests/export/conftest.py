"""The library of torch.onnx, read once: torch reads its 500 functions anew for every export."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module

import pytest


@pytest.fixture(autouse=True, scope="session")
def library_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        try:
            library = import_module("torch.onnx._internal.exporter._registration").onnxscript_apis
            patch.setattr(library, "get_torchlib_ops", cache(library.get_torchlib_ops))
        except (ImportError, AttributeError):
            pass  # no onnxscript, or another torch, whose exports take longer
        yield
