"""Options of a command line: grouped in the help by what they are for, with the names that a registry has."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._errors import InputError
from ..did_you_mean import did_you_mean
from ..registry import Registry

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

OTHER = "Other"
"""The group of options that name none, the last of the help."""
CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])


class Option(click.Option):
    """An option that stands in a group of the help, and whose value may name an entry of a registry.

    Parameters
    ----------
    words : sequence of str
        The option's words, as click takes them.
    group : str
        The heading of the help under which it stands.
    names : Registry, optional
        What the option's value can name. The names, installed ones among them, stand in the help in the place of
        NAMES, and a shell completes them.
    **about
        What click takes besides.

    Examples
    --------
    >>> Option(["--steps"], group="Training", type=int).group
    'Training'
    """

    def __init__(
        self, words: Sequence[str], *, group: str = OTHER, names: "Registry[Any] | None" = None, **about: Any
    ) -> None:
        super().__init__(words, **about)
        self.group, self.names, self._text = group, names, str(self.help)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the words and the help, with the names of the registry in it.

        Parameters
        ----------
        ctx : click.Context
            The call whose help is shown.

        Returns
        -------
        tuple of str or None
            The option's words, and its help.
        """
        if self.names is not None:
            self.help = self._text.replace("NAMES", ", ".join(self.names.names()))
        return super().get_help_record(ctx)

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value as the option's type has it, or refuse it.

        Parameters
        ----------
        ctx : click.Context
            The call.
        value : object
            The words that were written.

        Returns
        -------
        object
            The value.

        Raises
        ------
        InputError
            The type takes no such value.
        """
        try:
            return super().type_cast_value(ctx, value)
        except click.BadParameter as error:
            refused = [repr(word) for word in _flat(value) if not self._takes(word, ctx)]
            expected, got = (_taken(self.type), refused[0]) if refused else ("", error.message)
            what = "a value that the option does not take"
            raise InputError(what, where=self.opts[0], expected=expected, got=got) from None

    def _takes(self, word: str, ctx: click.Context) -> bool:
        try:
            self.type(word, self, ctx)
        except click.BadParameter:
            return False
        return True

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a value by the names of the registry, or as click does.

        Parameters
        ----------
        ctx : click.Context
            The call so far.
        incomplete : str
            The beginning of the word.

        Returns
        -------
        list of CompletionItem
            What the word could become.
        """
        if self.names is None:
            return super().shell_complete(ctx, incomplete)
        return completions(self.names, incomplete)


def _taken(kind: click.ParamType[Any]) -> str:
    """The numbers that a type takes, in words; empty for what is no number."""
    number = {"integer": "a whole number", "float": "a number"}.get(kind.name.removesuffix(" range"), "")
    if not number or not isinstance(kind, click.IntRange | click.FloatRange):
        return number
    low = "" if kind.min is None else f" {'above' if kind.min_open else 'from'} {kind.min}"
    return f"{number}{low}{'' if kind.max is None else f' to {kind.max}'}"


def _flat(value: Any) -> Iterator[Any]:
    """The words of an option, which may take several, several times."""
    if isinstance(value, tuple | list):
        for each in value:
            yield from _flat(each)
    else:
        yield value


def completions(names: "Registry[Any]", incomplete: str) -> "list[CompletionItem]":
    """The names of a registry that a word could become; files, where no name begins so.

    Parameters
    ----------
    names : Registry
        What can be named.
    incomplete : str
        The beginning of the word.

    Returns
    -------
    list of CompletionItem
        A name each; or one that tells the shell to complete the names of files.

    Examples
    --------
    >>> from bimt_train.tasks import TASKS
    >>> [item.value for item in completions(TASKS, "in")]
    ['independence', 'in-context']
    >>> [item.type for item in completions(TASKS, "data/")]
    ['file']
    """
    from click.shell_completion import CompletionItem

    found = [CompletionItem(name) for name in names.names() if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def in_group(group: str) -> Callable[..., Callable[[CommandFunction], CommandFunction]]:
    """A decorator like ``click.option``, for the options of one group.

    Parameters
    ----------
    group : str
        The heading of the help.

    Returns
    -------
    callable
        Takes what `Option` takes.

    Examples
    --------
    >>> training = in_group("Training")
    >>> @click.command("train", cls=Command)
    ... @training("--steps", type=int, help="Steps of the optimiser.")
    ... def train(steps: int) -> None: ...
    >>> print(train.get_help(click.Context(train)))
    Usage:  [OPTIONS]
    <BLANKLINE>
    Training:
      --steps INTEGER  Steps of the optimiser.
    <BLANKLINE>
    Other:
      --help  Show this message and exit.
    """
    return partial(click.option, cls=Option, group=group)


class Command(click.Command):
    """A command whose help lists its options by group, in the order in which the groups first occur.

    Examples
    --------
    >>> Command("train").name
    'train'
    """

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, one section a group.

        Parameters
        ----------
        ctx : click.Context
            The call whose help is shown.
        formatter : click.HelpFormatter
            Takes the text.
        """
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(option, "group", OTHER), []).append(record)
        groups[OTHER] = groups.pop(OTHER, [])
        for group, records in groups.items():
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)


class Choice(click.Choice[str]):
    """A word out of a few; a mistyped one is refused with the word that is closest.

    Parameters
    ----------
    choices : sequence of str
        The words.

    Examples
    --------
    >>> Choice(["raw", "inputs"]).convert("inputs", None, None)
    'inputs'
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word, or refuse it.

        Parameters
        ----------
        value : object
            What was written.
        param : click.Parameter or None
            The option.
        ctx : click.Context or None
            The call.

        Returns
        -------
        str
            The word.

        Raises
        ------
        InputError
            It is none of the words.
        """
        if value not in self.choices:
            where = "" if param is None else param.opts[0]
            expected, hint = (
                ", ".join(self.choices),
                did_you_mean(str(value), self.choices, otherwise="write one of these"),
            )
            raise InputError("a word that is none of these", where=where, expected=expected, got=str(value), hint=hint)
        return str(value)
