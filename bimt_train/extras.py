"""The extras of the distribution: which packages each brings, what for, and what is said where one is not there."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import lazy_loader

from ._errors import InputError


@dataclass(frozen=True)
class Extra:
    """Packages that the plain installation does without.

    Attributes
    ----------
    name : str
        The word in brackets of ``pip install 'bimt[train]'``.
    brings : tuple of str
        What pip calls the packages, and other extras.
    packages : tuple of str
        What Python imports of them.
    purpose : str
        What for, in a few words.

    Examples
    --------
    >>> extra_of("torch").brings
    ('bimt[tables]', 'bimt[units]', 'torch', 'filelock', 'rich')
    """

    name: str
    brings: tuple[str, ...]
    packages: tuple[str, ...]
    purpose: str

    @property
    def command(self) -> str:
        """What to type to have it."""
        return f"pip install 'bimt[{self.name}]'"


EXTRAS = (
    Extra(
        "train", ("bimt[tables]", "bimt[units]", "torch", "filelock", "rich"), ("torch", "filelock", "rich"),
        "running networks: training, pruning, ablation, formulas of a network, files of `torch.save`",
    ),
    Extra("plots", ("matplotlib",), ("matplotlib", "mpl_toolkits", "PIL"), "pictures, alone and in pages"),
    Extra("tables", ("pandas",), ("pandas",), "tables of rows, such as CSV files, and `to_frame()`"),
    Extra("units", ("pint",), ("pint",), "units of measurement, where formulas are searched"),
    Extra("parquet", ("bimt[tables]", "pyarrow"), ("pyarrow",), "tables in Parquet, Feather and Arrow files"),
    Extra("excel", ("bimt[tables]", "openpyxl"), ("openpyxl",), "tables in Excel files"),
    Extra("sklearn", ("scikit-learn",), ("sklearn",), "`FormulaRegressor`, `OdeRegressor`, and the task `two-moons`"),
    Extra("graphs", ("networkx",), ("networkx",), "graphs for networkx, and GraphML files"),
    Extra("dask", ("distributed",), ("distributed",), "`--dask`, which computes on a cluster"),
    Extra("operon", ("pyoperon",), ("pyoperon",), "genetic programming, in the search for formulas"),
    Extra("keras", ("h5py",), ("h5py",), "files of Keras, and tables in HDF5 files"),
    Extra(
        "onnx", ("bimt[train]", "onnx", "onnxscript", "onnxruntime"), ("onnx", "onnxscript", "onnxruntime"),
        "`--export circuit.onnx`",
    ),
    Extra(
        "transformers", ("bimt[train]", "transformers", "accelerate"), ("transformers", "accelerate"),
        "`TrainerPenalty`, for Hugging Face's Trainer",
    ),
    Extra("lightning", ("bimt[train]", "lightning"), ("lightning",), "`LightningPenalty`, for Lightning"),
    Extra("tensorboard", ("bimt[train]", "tensorboard"), ("tensorboard",), "`--log-to tensorboard`"),
    Extra("mlflow", ("bimt[train]", "mlflow"), ("mlflow",), "`--log-to mlflow`"),
    Extra("wandb", ("bimt[train]", "wandb"), ("wandb",), "`--log-to wandb`"),
)  # fmt: skip
"""Every extra of users. ``all`` brings all but the last three, of which MLflow wants older packages; ``docs`` and
``dev`` are for those who work on this project."""


class MissingExtra(InputError, ImportError):
    """A package is not installed that an extra brings.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `bimt_train.InputError` takes them.

    Examples
    --------
    >>> str(missing_extra("torch", "training"))
    "training needs the package torch, which is not installed; hint: pip install 'bimt[train]'"
    """


def extra_of(package: str) -> Extra | None:
    """The extra that brings a package.

    Parameters
    ----------
    package : str
        What Python imports, as ``"torch"`` or ``"torch.nn"``.

    Returns
    -------
    Extra or None
        None where no extra brings it.

    Examples
    --------
    >>> extra_of("torch.nn").name, extra_of("numpy")
    ('train', None)
    """
    root = package.partition(".")[0]
    return next((extra for extra in EXTRAS if root in extra.packages), None)


def installed(package: str) -> bool:
    """Whether a package is there. It is not imported.

    Parameters
    ----------
    package : str
        What Python imports, as ``"torch"``.

    Returns
    -------
    bool
        Whether it can be found.

    Examples
    --------
    >>> installed("numpy"), installed("nowhere_at_all")
    (True, False)
    """
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return find_spec(package) is not None
    except ImportError:
        return False


def need(package: str, what: str) -> None:
    """Pass if a package is there; called before it is imported inside a function.

    Parameters
    ----------
    package : str
        What Python imports, as ``"torch"``; an extra brings it.
    what : str
        What needs it, as the beginning of a sentence.

    Raises
    ------
    MissingExtra
        It is not there.

    Examples
    --------
    >>> import torch
    >>> need("torch", "training")
    """
    if not installed(package):
        raise missing_extra(package, what)


def missing_extra(package: str, what: str) -> MissingExtra:
    """The error of a package that is not there.

    Parameters
    ----------
    package : str
        What Python imports; an extra brings it.
    what : str
        What needs it, as the beginning of a sentence.

    Returns
    -------
    MissingExtra
        With the command that brings it.
    """
    extra = extra_of(package)
    assert extra is not None, f"no extra brings {package}"
    return MissingExtra(f"{what} needs the package {package}, which is not installed", hint=extra.command)


def explained(error: ImportError, what: str) -> ImportError:
    """What to raise in place of an import's own error.

    Parameters
    ----------
    error : ImportError
        What the import raised.
    what : str
        What was wanted.

    Returns
    -------
    ImportError
        A `MissingExtra` where an extra brings what could not be found; else the error itself.

    Examples
    --------
    >>> error = ModuleNotFoundError("No module named 'numpy.nowhere'", name="numpy.nowhere")
    >>> explained(error, "an array") is error
    True
    """
    package = (error.name or "").partition(".")[0]
    gone = isinstance(error, ModuleNotFoundError) and extra_of(package) is not None and not installed(package)
    return missing_extra(package, what) if gone else error


def public_names(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The public names of a package, each loaded when it is first used, as its ``__init__.pyi`` lists them.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    file : str
        Its ``__file__``.

    Returns
    -------
    tuple of callable, callable and list of str
        What the package calls ``__getattr__``, ``__dir__`` and ``__all__``. A name whose module needs a package that is
        not there raises `MissingExtra`.
    """
    load, listed, names = lazy_loader.attach_stub(package, file)

    def loaded(name: str) -> Any:
        try:
            return load(name)
        except ModuleNotFoundError as error:
            raise explained(error, f"{package}.{name}") from error

    return loaded, listed, names
