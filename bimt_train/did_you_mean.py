"""The name that a mistyped word may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str], *, before: str = "", otherwise: str = "") -> str:
    """The name that a mistyped word is closest to, as the hint of an error.

    Parameters
    ----------
    word : str
        What was written.
    names : iterable of str
        What could have been meant.
    before : str, default ""
        Put before the name that is found, as the path that leads to it.
    otherwise : str, default ""
        The hint where no name is close.

    Returns
    -------
    str
        A question, or ``otherwise``.

    Examples
    --------
    >>> did_you_mean("lenght", ["length", "existence"])
    'did you mean length?'
    >>> did_you_mean("price", ["length", "existence"], otherwise="name one of these")
    'name one of these'
    """
    plain = {name: name.strip("'").casefold() for name in names}  # quotes would make short names alike
    meant = word.strip("'").casefold()
    close = [meant] if meant in plain.values() else difflib.get_close_matches(meant, list(plain.values()), n=1)
    near = [name for name, bare in plain.items() if bare in close]
    return f"did you mean {before}{near[0]}?" if near else otherwise
