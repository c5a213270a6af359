"""The option that lists all that other options can name."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from ..registry import Registry
from .options import OTHER, CommandFunction, Option


def list_names_option(registries: "Mapping[str, Registry[Any]]") -> Callable[[CommandFunction], CommandFunction]:
    """A decorator that adds ``--list-names``: it prints what options can name, a sentence each, and ends.

    Parameters
    ----------
    registries : mapping of str to Registry
        The option -> what its value can name.

    Returns
    -------
    callable
        The decorator.

    Examples
    --------
    >>> from bimt_train.registry import Entry
    >>> colours = Registry("colour", Entry, builtin={}, group="bimt.colours")
    >>> red = colours.register("red", label="red", sentence="Paints in red.")(lambda: "#ff0000")
    >>> @click.command("paint")
    ... @list_names_option({"--colour": colours})
    ... def paint() -> None: ...
    >>> paint.main(["--list-names"], standalone_mode=False)
    --colour
      red  Paints in red.
    0
    """

    def listed(context: click.Context, option: click.Parameter, wanted: bool) -> None:
        if wanted:
            click.echo("\n\n".join(_section(word, registry) for word, registry in registries.items()))
            context.exit()

    words = ", ".join(registries)
    return click.option(
        "--list-names", is_flag=True, is_eager=True, expose_value=False, callback=listed, cls=Option, group=OTHER,
        help=f"Print what {words} can name, and end.",
    )  # fmt: skip


def _section(word: str, registry: "Registry[Any]") -> str:
    entries = registry.entries()
    width = max((len(entry.name) for entry in entries), default=0)
    return "\n".join([word, *(f"  {entry.name:<{width}}  {entry.sentence}" for entry in entries)])
