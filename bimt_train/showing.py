"""How the values of both packages show themselves: one line at a prompt, a short piece of HTML in a notebook."""

import dataclasses
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:  # brings jinja2, which a prompt does without
    import jinja2

LINE = 200  # characters of a line at a prompt, at most
ROWS, CELL = 10, 120  # rows of a table in a notebook, and characters of one of its cells, at most


class Shown:
    """A value that says in one line what it is, without its arrays.

    A dataclass with this base is declared with ``repr=False``. It says what a person wants to know in ``_brief``; else
    its fields are named, each with a few characters; those that have their default value are left out.

    Examples
    --------
    >>> import numpy as np
    >>> @dataclasses.dataclass(frozen=True, repr=False)
    ... class Losses(Shown):
    ...     seeds: tuple[int, ...]
    ...     values: np.ndarray
    >>> Losses(tuple(range(99)), np.zeros((99, 3)))
    Losses(seeds=(0, 1, 2, ...), values=array of shape [99, 3])
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]  # every heir is a dataclass

    def __repr__(self) -> str:
        return one_line(self, self._brief())

    def _brief(self) -> str:
        fields = dataclasses.fields(self)
        return brief({field.name: getattr(self, field.name) for field in fields if not _as_if_left_out(self, field)})


def one_line(value: object, said: str) -> str:
    """The name of a value's class, and in brackets what is said of it.

    Parameters
    ----------
    value : object
        Any value.
    said : str
        Any text; it is cut so that the line has at most `LINE` characters.

    Returns
    -------
    str
        For instance ``Runs(16 seeds of independence, best loss 0.0012)``.

    Examples
    --------
    >>> one_line(1.0, "one")
    'float(one)'
    """
    name = type(value).__name__
    return f"{name}({cut(' '.join(said.split()), LINE - len(name) - 2)})"


def brief(values: Mapping[str, object]) -> str:
    """Names, each with a few characters of its value.

    Parameters
    ----------
    values : mapping of str to object
        Name -> value.

    Returns
    -------
    str
        Arrays are told by their shape; of long lists the first three entries are shown.

    Examples
    --------
    >>> brief({"seeds": list(range(9)), "task": "independence"})
    "seeds=[0, 1, 2, ...], task='independence'"
    """
    return ", ".join(f"{name}={short(value)}" for name, value in values.items())


def short(value: object) -> str:
    """A few characters for any value; for an array its shape.

    Parameters
    ----------
    value : object
        Any value.

    Returns
    -------
    str
        Of long lists and mappings the first three entries.

    Examples
    --------
    >>> short({"a": [1, 2, 3, 4]})
    "{'a': [1, 2, 3, ...]}"
    """
    return _Short().repr(value)


def _as_if_left_out(value: object, field: "dataclasses.Field[Any]") -> bool:
    """Whether a field has its default value, which is compared only where it is a plain one."""
    given = getattr(value, field.name)
    if field.default_factory is not dataclasses.MISSING:
        return not given
    return type(given) is type(field.default) and not hasattr(given, "shape") and bool(given == field.default)


class _Short(reprlib.Repr):
    """A few characters for each value; for an array its shape."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxtuple = self.maxlist = self.maxdict = self.maxset = self.maxfrozenset = 3
        self.maxstring, self.maxother = 60, 60

    def repr_float(self, number: float, level: int) -> str:
        return repr(float(f"{number:.6g}"))

    def repr_ndarray(self, array: Any, level: int) -> str:
        return f"array of shape {list(array.shape)}"

    repr_Tensor = repr_ndarray

    def repr_dict(self, mapping: Any, level: int) -> str:  # in the mapping's own order, where reprlib sorts
        if not mapping or level <= 0:
            return "{...}" if mapping else "{}"
        shown = islice(mapping.items(), self.maxdict)
        pairs = [f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}" for key, value in shown]
        return f"{{{', '.join(pairs)}{', ...' if len(mapping) > self.maxdict else ''}}}"

    repr_FrozenDict = repr_dict

    def repr_instance(self, value: Any, level: int) -> str:
        text = repr(value)
        if dataclasses.is_dataclass(value) and (level < self.maxlevel or len(text) > self.maxother):
            return f"{type(value).__name__}(...)"
        return cut(text, self.maxother)


def cut(text: str, most: int) -> str:
    """The text, or its beginning and three dots.

    Parameters
    ----------
    text : str
        Any text.
    most : int
        Characters of the result, at most.

    Returns
    -------
    str
        At most so many characters.

    Examples
    --------
    >>> cut("independence", 8)
    'indep...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def to_markdown(text: object) -> str:
    r"""Text that cannot break a table of Markdown or start markup.

    Parameters
    ----------
    text : object
        Any text, or what `str` makes one of.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> print(to_markdown("x_1 | <b>"))
    x\_1 \| \<b\>
    """
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))


_CELL = """<div class="bimt">
<p><b>{{ title }}</b></p>
{%- for line in lines %}
<p>{{ line }}</p>
{%- endfor %}
{%- if rows %}
<table>
<tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>
{%- for row in rows %}
<tr>{% for cell in row %}<td>{{ cell | written }}</td>{% endfor %}</tr>
{%- endfor %}
</table>
{%- endif %}
{%- if left_out %}
<p>and {{ left_out }} more</p>
{%- endif %}
</div>"""


def to_cell(
    title: str,
    *,
    lines: Iterable[str] = (),
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[Any]] = (),
    of: int | None = None,
) -> str:
    """HTML for a cell of a notebook: a title, lines, and the first rows of a table.

    Everything is escaped, but what says by a method ``__html__`` that it is HTML (`markupsafe.Markup`).

    Parameters
    ----------
    title : str
        The headline.
    lines : iterable of str
        What stands below the headline, a paragraph each.
    columns : sequence of str
        The names of the table's columns.
    rows : sequence of sequences
        Texts, numbers, True, False and None; of more than ten rows the first ten are shown, and how many there are
        besides.
    of : int, optional
        How many rows there are, where ``rows`` holds the first ones only.

    Returns
    -------
    str
        One ``<div>``.

    Examples
    --------
    >>> print(to_cell("2 runs of <task>", columns=("seed", "loss"), rows=[(0, 0.0123456), (1, None)]))
    <div class="bimt">
    <p><b>2 runs of &lt;task&gt;</b></p>
    <table>
    <tr><th>seed</th><th>loss</th></tr>
    <tr><td>0</td><td>0.01235</td></tr>
    <tr><td>1</td><td>–</td></tr>
    </table>
    </div>
    """
    shown = list(islice(rows, ROWS))
    lines = [line if hasattr(line, "__html__") else cut(line, 2 * CELL) for line in lines]
    left_out = (len(rows) if of is None else of) - len(shown)
    return _template().render(title=cut(title, CELL), lines=lines, columns=columns, rows=shown, left_out=left_out)


@cache
def _template() -> "jinja2.Template":
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["written"] = _written
    return environment.from_string(_CELL)


def _written(value: Any) -> Any:
    if value is None or value != value:  # pandas writes a missing number as nan, which equals nothing
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if hasattr(value, "__html__") else cut(str(value), CELL)
