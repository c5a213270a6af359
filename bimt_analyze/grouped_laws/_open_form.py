"""A form: an expression whose numbers are open constants, in a writing without a constant too many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

_OPEN_BELOW = 12  # constants of a form, at most
_HALVES = 2  # exponents with this denominator are part of the form


@dataclass(frozen=True)
class OpenForm:
    """An expression with open constants, and where each starts.

    Attributes
    ----------
    expression : sympy.Expr
        Over input symbols and the open constants.
    start : mapping of sympy.Dummy to float
        A value for each open constant.
    named : bool
        Whether the constants have the names that a user gave them.
    """

    expression: sympy.Expr
    start: Mapping[sympy.Dummy, float]
    named: bool = False

    @property
    def constants(self) -> tuple[sympy.Dummy, ...]:
        """The open constants, in a fixed order."""
        return tuple(self.start)

    @property
    def size(self) -> int:
        """How many operators, inputs and constants it is written with."""
        return sum(1 for _ in sympy.preorder_traversal(self.expression))

    def key(self) -> sympy.Expr:
        """The form with all constants alike: two forms with one key are the same."""
        return self.expression.xreplace(dict.fromkeys(self.start, sympy.Symbol("_c", real=True)))

    def with_number(self, constant: sympy.Dummy, number: sympy.Expr) -> "OpenForm | None":
        """The form with a number in place of a constant, and without constants that no longer matter.

        Parameters
        ----------
        constant : sympy.Dummy
            One of its constants.
        number : sympy.Expr
            A number.

        Returns
        -------
        OpenForm or None
            None where nothing is left, or the number makes no sense there.
        """
        return self.with_expression(self.expression.subs(constant, number), {})

    def with_expression(self, expression: sympy.Expr, more: Mapping[sympy.Dummy, float]) -> "OpenForm | None":
        """Another expression in the constants of this form and some more.

        Parameters
        ----------
        expression : sympy.Expr
            Over the inputs, constants of this form, and others.
        more : mapping of sympy.Dummy to float
            The others, with their start.
        """
        if expression.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I) or not expression.free_symbols:
            return None
        kept = {c: v for c, v in {**self.start, **more}.items() if c in expression.free_symbols}
        return OpenForm(expression, kept)


def opened(expression: sympy.Expr) -> OpenForm | None:
    """An expression with every number opened that may be fitted, in a writing without a constant too many.

    Sums inside a product or a power are divided by the coefficient of their first term, constants in an exponential
    become a factor, quadratics inside a function or a power are completed to a square. Whole and half exponents stay.

    Parameters
    ----------
    expression : sympy.Expr
        Without open constants.

    Returns
    -------
    OpenForm or None
        None for an expression with more than twelve constants, or one that is not real.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> form = opened(3 * sympy.exp(0.5 - 2.0 * x) + 1)
    >>> form.key()
    _c*exp(_c*x) + _c
    >>> sorted(round(value, 3) for value in form.start.values())
    [-2.0, 1.0, 4.946]
    """
    opener = _Opener({})
    try:
        found = opener.full(_without_inner_fractions(expression))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):  # a number that is not real
        return None
    if found.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I) or len(opener.values) > _OPEN_BELOW:
        return None
    return OpenForm(found, {c: v for c, v in opener.values.items() if c in found.free_symbols})


def _without_inner_fractions(expression: sympy.Expr) -> sympy.Expr:
    """1/(a + b/x) as x/(a*x + b)."""
    return expression.replace(
        lambda e: e.is_Pow and e.exp == -1 and e.base.is_Add and any(t.as_numer_denom()[1] != 1 for t in e.base.args),
        lambda e: sympy.together(e),
    )


@dataclass
class _Opener:
    """Walks through an expression, and collects the constants that it opens."""

    values: dict[sympy.Dummy, float]

    def constant(self, value: float) -> sympy.Dummy:
        new = sympy.Dummy(f"c{len(self.values)}", real=True)
        self.values[new] = float(value)
        return new

    def full(self, part: sympy.Expr) -> sympy.Expr:
        """A part with all its coefficients open."""
        if not part.free_symbols:
            return self.constant(float(part))
        if part.is_Add:
            numbers, rest = part.as_independent(*part.free_symbols, as_Add=True)
            terms = [self.full(term) for term in sympy.Add.make_args(rest)]
            return sympy.Add(*terms, *([self.constant(float(numbers))] if numbers != 0 else []))
        factor, monic = self.monic(part)
        return self.constant(factor) * monic

    def monic(self, part: sympy.Expr) -> tuple[float, sympy.Expr]:
        """A part as a number times an expression without a coefficient."""
        if not part.free_symbols:
            return float(part), sympy.Integer(1)
        if part.is_Symbol:
            return 1.0, part
        if part.is_Mul:
            factor, product = 1.0, []
            for one in part.args:
                number, monic = self.monic(one)
                factor *= number
                product.append(monic)
            return factor, sympy.Mul(*product)
        if part.is_Pow:
            return self.power(part.base, part.exp)
        if part.is_Add:
            return self.monic_sum(part)
        if isinstance(part, sympy.exp):
            square = _as_square(sympy.expand_mul(part.args[0]))
            if square is not None:
                q, middle, symbol, offset = square
                return float(sympy.exp(offset)), sympy.exp(self.constant(q) * (symbol - self.constant(middle)) ** 2)
            numbers, rest = sympy.expand_mul(part.args[0]).as_independent(*part.free_symbols, as_Add=True)
            return float(sympy.exp(numbers)), sympy.exp(self.inner(rest))
        return 1.0, part.func(*(self.inner(argument) for argument in part.args))

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> tuple[float, sympy.Expr]:
        if exponent.free_symbols:
            if not base.free_symbols:
                return self.monic(sympy.exp(exponent * sympy.log(base)))
            return 1.0, self.full(base) ** self.full(exponent)
        number, monic = self.monic(base)
        doubled = _HALVES * float(exponent)
        if not doubled.is_integer():
            if monic.is_Pow and monic.base.is_Symbol:  # (x**a)**b
                previous = self.values.pop(monic.exp) if monic.exp in self.values else float(monic.exp)
                return float(number ** float(exponent)), monic.base ** self.constant(previous * float(exponent))
            return float(number ** float(exponent)), monic ** self.constant(float(exponent))
        plain = sympy.Rational(int(doubled), _HALVES)
        if number < 0 and plain.q != 1:
            return 1.0, (-monic) ** plain if number == -1 else (self.constant(number) * monic) ** plain
        return float(number ** float(exponent)), monic**plain

    def monic_sum(self, part: sympy.Expr) -> tuple[float, sympy.Expr]:
        square = _as_square(part)
        if square is not None:
            factor, middle, symbol, offset = square
            rest = [] if abs(offset) <= 1e-9 * abs(factor) else [self.constant(offset / factor)]
            return factor, sympy.Add((symbol - self.constant(middle)) ** 2, *rest)
        numbers, rest = part.as_independent(*part.free_symbols, as_Add=True)
        first, *others = sympy.Add.make_args(rest)
        factor, monic = self.monic(first)
        terms = [self.full(term / factor) for term in others]
        return factor, sympy.Add(monic, *terms, *([self.constant(float(numbers) / factor)] if numbers != 0 else []))

    def inner(self, part: sympy.Expr) -> sympy.Expr:
        """The ``part`` within a function: all its coefficients open, a quadratic as a square."""
        part = sympy.expand_mul(part)
        square = _as_square(part)
        if square is None:
            return self.full(part)
        factor, middle, symbol, offset = square
        rest = [] if abs(offset) <= 1e-9 * abs(factor) else [self.constant(offset)]
        return sympy.Add(self.constant(factor) * (symbol - self.constant(middle)) ** 2, *rest)


def _as_square(part: sympy.Expr) -> tuple[float, float, sympy.Symbol, float] | None:
    """A quadratic q*x**2 + l*x + o of one input, with a linear term, as q*(x - m)**2 + r: (q, m, x, r)."""
    if len(part.free_symbols) != 1:
        return None
    (symbol,) = part.free_symbols
    if not part.is_polynomial(symbol):
        return None
    coefficients = sympy.Poly(part, symbol).all_coeffs()
    if len(coefficients) != 3 or abs(float(coefficients[1])) < 1e-12:
        return None
    q, linear, o = map(float, coefficients)
    middle = -linear / (2 * q)
    return q, middle, symbol, o - q * middle**2


def with_more(form: OpenForm, columns: Sequence[sympy.Symbol], positive: Sequence[bool]) -> Iterator[OpenForm]:
    """The form with one constant more, at each place where it may have been 0 or 1 by chance.

    Parameters
    ----------
    form : OpenForm
        Any form.
    columns : sequence of sympy.Symbol
        The inputs.
    positive : sequence of bool
        Which of them are positive on all rows.
    """

    def new() -> sympy.Dummy:
        return sympy.Dummy("c", real=True)

    whole, extra = form.expression, new()
    terms = sympy.Add.make_args(whole)
    changed: list[tuple[sympy.Expr, float]] = []
    if not any(term in form.start for term in terms):
        changed.append((whole + extra, 0.0))
    for column in columns:
        if not any(term.is_Mul and set(term.args) - set(form.start) == {column} for term in terms):
            changed.append((whole + extra * column, 0.0))
    for part in sorted(whole.atoms(sympy.Function), key=sympy.default_sort_key):
        argument = part.args[0]
        if not isinstance(part, sympy.exp) and not any(term in form.start for term in sympy.Add.make_args(argument)):
            changed.append((whole.xreplace({part: part.func(argument + extra)}), 0.0))
    for part in sorted(whole.atoms(sympy.Pow), key=sympy.default_sort_key):
        if (
            part.base.is_Symbol
            and part.exp.is_Number
            and all(usable for column, usable in zip(columns, positive, strict=True) if column == part.base)
        ):
            changed.append((whole.xreplace({part: part.base**extra}), float(part.exp)))
        if part.base in columns and part.exp.is_Number:
            changed.append((whole.xreplace({part: (part.base + extra) ** part.exp}), 0.0))
    for term in terms:
        for column, usable in zip(columns, positive, strict=True):
            if usable and term.has(column) and not any(p.base == column for p in term.atoms(sympy.Pow)):
                changed.append((whole - term + term * column**extra, 0.0))
            if term not in form.start and not any(isinstance(f, sympy.exp) for f in term.atoms(sympy.Function)):
                changed.append((whole - term + term * sympy.exp(extra * column), 0.0))
    for expression, value in changed:
        grown = form.with_expression(expression, {extra: value})
        if grown is not None and len(grown.start) <= _OPEN_BELOW:
            yield grown
