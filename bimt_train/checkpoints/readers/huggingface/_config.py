"""The config.json of a folder: plain values, each checked when it is asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...._errors import CheckpointError

CONFIG = "config.json"
LONGEST = 2**24  # bytes

# transformers' own second names of GPT-2's sizes
_ALSO = {
    "n_embd": "hidden_size",
    "n_positions": "max_position_embeddings",
    "n_head": "num_attention_heads",
    "n_layer": "num_hidden_layers",
}


def is_huggingface_folder(path: Path) -> bool:
    """Whether a path is a folder with a config.json.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> is_huggingface_folder(Path("nowhere"))
    False
    """
    return (path / CONFIG).is_file()


@dataclass(frozen=True)
class Config:
    """What a config.json says.

    Attributes
    ----------
    path : Path
        The file.
    values : mapping of str to object
        Its fields.
    within : str
        The field of the file that these fields are in; empty for the file itself.

    Examples
    --------
    >>> Config(Path("config.json"), {"n_head": 2, "use_cache": True}).size("n_head")
    2
    """

    path: Path
    values: Mapping[str, Any] = field(default_factory=dict)
    within: str = ""

    @classmethod
    def read(cls, folder: Path) -> "Config":
        """Read the config.json of a folder.

        Parameters
        ----------
        folder : Path
            The folder.

        Returns
        -------
        Config
            Its fields.

        Raises
        ------
        CheckpointError
            It is too long, or no JSON object.
        """
        path = folder / CONFIG
        values = read_json(path, LONGEST)
        if not isinstance(values, dict):
            raise CheckpointError(
                "a config.json that is no object", where=str(path), expected="{...}", got=type(values).__name__
            )
        return cls(path, values)

    @property
    def model_type(self) -> str | None:
        """The family of models; None where it is not said."""
        said = self.values.get("model_type")
        return said if isinstance(said, str) else None

    def has(self, name: str) -> bool:
        """Whether a field is there and not null.

        Parameters
        ----------
        name : str
            The field.

        Returns
        -------
        bool
            Whether it is.
        """
        return self.values.get(name) is not None

    def size(self, name: str, default: int | None = None) -> int:
        """A positive whole number.

        Parameters
        ----------
        name : str
            The field, by GPT-2's name; the usual second name is known too.
        default : int, optional
            What is meant where the field is missing or null.

        Returns
        -------
        int
            The number.

        Raises
        ------
        CheckpointError
            It is missing without a default, or is something else.
        """
        value = self.values.get(name)
        value = self.values.get(_ALSO.get(name, "")) if value is None else value
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.wrong(name, "a whole number above 0", value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A number above 0.

        Parameters
        ----------
        name : str
            The field.
        default : float, optional
            What is meant where the field is missing or null.

        Returns
        -------
        float
            The number.

        Raises
        ------
        CheckpointError
            It is missing without a default, or is something else.
        """
        value = self.values.get(name)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            raise self.wrong(name, "a number above 0", value)
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        """True or false.

        Parameters
        ----------
        name : str
            The field.
        default : bool
            What is meant where the field is missing or null.

        Returns
        -------
        bool
            The value.

        Raises
        ------
        CheckpointError
            It is something else.
        """
        value = self.values.get(name)
        value = default if value is None else value
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false", value)
        return value

    def text(self, name: str, default: str) -> str:
        """A text.

        Parameters
        ----------
        name : str
            The field.
        default : str
            What is meant where the field is missing or null.

        Returns
        -------
        str
            The value.

        Raises
        ------
        CheckpointError
            It is something else.
        """
        value = self.values.get(name)
        value = default if value is None else value
        if not isinstance(value, str):
            raise self.wrong(name, "a text", value)
        return value

    def tokens(self, name: str, vocabulary: int) -> tuple[int, ...]:
        """Tokens by number, of those that the vocabulary has; transformers writes GPT-2's own into every config.

        Parameters
        ----------
        name : str
            The field: a number, a list of them, or null.
        vocabulary : int
            How many tokens there are.

        Returns
        -------
        tuple of int
            The tokens, none where there is none.
        """
        value = self.values.get(name)
        each = value if isinstance(value, list) else [value]
        return tuple(n for n in each if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < vocabulary)

    def wrong(self, name: str, expected: str, value: Any) -> CheckpointError:
        """The error for a field that cannot be used.

        Parameters
        ----------
        name : str
            The field.
        expected : str
            What it should be.
        value : object
            What it is; None where it is missing.

        Returns
        -------
        CheckpointError
            In one line.
        """
        if value is None:
            what, got = "a config.json without a field that is needed", "no such field"
        else:
            what, got = "a config.json with a field that cannot be used", repr(value)[:60]
        at = f"{self.within}.{name}" if self.within else name
        hint = "copy the config.json again, or save the model anew with save_pretrained"
        return CheckpointError(what, where=f"{self.path}, '{at}'", expected=expected, got=got, hint=hint)


def read_json(path: Path, longest: int) -> Any:
    """The value in a JSON file.

    Parameters
    ----------
    path : Path
        The file.
    longest : int
        How many bytes it may have.

    Returns
    -------
    object
        What it holds.

    Raises
    ------
    CheckpointError
        It is longer, or no JSON.
    """
    size = path.stat().st_size
    if size > longest:
        raise CheckpointError(
            f"a {path.name} that is too long", where=str(path), expected=f"at most {longest} bytes", got=f"{size} bytes"
        )
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        got = f"{type(error).__name__}: {error}"[:120]
        raise CheckpointError(
            f"a {path.name} that is no JSON", where=str(path), got=got, hint="copy it again"
        ) from None
