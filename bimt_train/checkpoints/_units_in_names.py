"""Units of measurement in the names that people give their columns: drag [N], T (K)."""

import re

_PREFIX = "(?:da|[QRYZEPTGMkhdcmuµμnpfazyrq])?"
_SYMBOLS = (
    "m", "g", "s", "A", "K", "mol", "cd", "Hz", "N", "Pa", "J", "W", "C", "V", "F", "Ω", "Ω", "ohm", "S", "Wb", "T",
    "H", "lm", "lx", "Bq", "Gy", "Sv", "kat", "L", "l", "eV", "bar", "cal", "rad", "sr", "B", "bit", "pc",
)  # fmt: skip
_WHOLE = (
    "min", "h", "d", "days?", "hours?", "minutes?", "seconds?", "years?", "yr", "°", "deg", "°C", "°F", "℃", "degC",
    "degF", "%", "‰", "ppm", "ppb", "dB", "u", "Da", "atm", "mmHg", "psi", "ft", "lb", "mph", "kn", "au", "ly", "rpm",
    "px", "ha", "Å", "1",
)  # fmt: skip
_UNIT = f"(?:{'|'.join(_WHOLE)}|{_PREFIX}(?:{'|'.join(_SYMBOLS)}))"
_POWER = r"(?:(?:\^|\*\*)?[-−+]?\d|(?:\^|\*\*)\([-−+]?\d(?:/\d)?\)|[⁻⁺]?[⁰¹²³⁴-⁹])?"
_FACTOR = f"{_UNIT}{_POWER}"
_PRODUCT = re.compile(rf"{_FACTOR}(?:\s*[·⋅*×/.]\s*{_FACTOR}|\s+{_FACTOR}|\s*/\s*\({_FACTOR}(?:[\s·*]+{_FACTOR})*\))*")
_LABEL = re.compile(r"(?P<name>.*?\S)\s*(?:\[(?P<square>[^\[\]]+)\]|\((?P<round>[^()]+)\))")


def is_unit(text: str) -> bool:
    """Whether a text is a product of units of measurement that are widely known.

    Parameters
    ----------
    text : str
        The text, without brackets.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> [is_unit(text) for text in ("m/s", "kg m^2 s-2", "°C", "red", "m s")]
    [True, True, True, False, True]
    """
    return len(text) < 40 and _PRODUCT.fullmatch(text.strip()) is not None


def split_unit(label: str, *, any_unit: bool = False) -> tuple[str, str]:
    """Part the name of a column from the unit in brackets behind it.

    Parameters
    ----------
    label : str
        What the column is called.
    any_unit : bool, default False
        Whether square brackets may hold any words; round ones must hold a known unit.

    Returns
    -------
    name : str
        What is before the brackets; the whole label where it ends in no unit.
    unit : str
        The unit; empty where there is none.

    Examples
    --------
    >>> split_unit("drag [N]"), split_unit("T (K)"), split_unit("x (mean)")
    (('drag', 'N'), ('T', 'K'), ('x (mean)', ''))
    """
    found = _LABEL.fullmatch(label.strip()) if len(label) < 200 else None
    if found is None:
        return label, ""
    unit = (found["square"] or found["round"]).strip()
    known = is_unit(unit) or (any_unit and found["square"] is not None and unit != "")
    return (found["name"], unit) if known else (label, "")
