"""Keys and roles: which part of a file is the network, what a tensor is, and how a message says it."""

import re
import shlex
from collections.abc import Mapping, Sequence


def key_of(names: Sequence[str], others: Sequence[str], under: str = "") -> str:
    """The shortest beginning, of whole words of a name, that all of some names have and none of others.

    Parameters
    ----------
    names : sequence of str
        Names of the tensors that are meant.
    others : sequence of str
        Names of those that are not.
    under : str
        Where in the file all of them lie; it comes before the words.

    Returns
    -------
    str
        The beginning; all words of the first name where none will do.

    Examples
    --------
    >>> key_of(["state.a.0.weight", "state.a.2.weight"], ["state.b.0.weight"])
    'state.a'
    >>> key_of(["a.0.weight"], ["b.0.weight"], under="model")
    'model.a'
    """
    ends = [found.start() for found in re.finditer(r"[./]", names[0])] + [len(names[0])]
    beginnings = [names[0][:end] for end in ends]
    alone = (
        key for key in beginnings if all(begins(n, key) for n in names) and not any(begins(n, key) for n in others)
    )
    found = next(alone, names[0])
    return f"{under}.{found}" if under else found


def begins(name: object, key: str) -> bool:
    """Whether a name begins with the words of a key.

    Parameters
    ----------
    name : object
        A tensor's name.
    key : str
        The key.

    Returns
    -------
    bool
        Whether it does; half a word is none.

    Examples
    --------
    >>> begins("net.0.weight", "net"), begins("network.0.weight", "net")
    (True, False)
    """
    return re.match(rf"{re.escape(key)}([./]|$)", str(name)) is not None


def key_hint(key: str) -> str:
    """A key as it is given from Python and on the command line.

    Parameters
    ----------
    key : str
        The key.

    Returns
    -------
    str
        Both ways.

    Examples
    --------
    >>> key_hint("state.ema model")
    "key='state.ema model' (--key 'state.ema model')"
    """
    return f"key='{key}' (--key {shlex.quote(key)})"


def roles_hint(roles: Mapping[str, str]) -> str:
    """Roles of tensors as they are given from Python and on the command line.

    Parameters
    ----------
    roles : mapping of str to str
        Name to role.

    Returns
    -------
    str
        Both ways.

    Examples
    --------
    >>> roles_hint({"0.scale": "ignore"})
    "roles={'0.scale': 'ignore'} (--role 0.scale=ignore)"
    """
    words = " ".join(f"--role {shlex.quote(f'{name}={role}')}" for name, role in roles.items())
    return f"roles={dict(roles)} ({words})"
