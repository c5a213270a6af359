"""The readable way to write an expression, by cheap identities only, and how long it is."""

from collections.abc import Iterator

import sympy

_TERMS = 60  # of a polynomial, and
_DEGREE = 12  # its degree, so that factoring stays quick


def complexity(expression: sympy.Expr) -> int:
    """Nodes of the written formula: symbols, numbers, operations.

    A difference or a quotient's bar is one operation.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> complexity((x + y)**3), complexity(x**2 - y), complexity(-x)
    (5, 5, 2)
    """
    if not expression.args or expression.is_Rational:
        return 1
    inner = sum(complexity(argument) for argument in expression.args)
    if expression.is_Add:
        minus = sum(_negative(term) for term in expression.args)
        return inner + len(expression.args) - 1 - min(minus, len(expression.args) - 1)
    if expression.is_Mul:
        first = expression.args[0]
        return inner + len(expression.args) - 1 + (1 if _negative(expression) else 0) - (2 if first == -1 else 0)
    if expression.is_Pow:
        power = 0 if expression.exp in (-1, sympy.S.Half) else complexity(expression.exp)
        return complexity(expression.base) + 1 + power
    return inner + 1


def _negative(term: sympy.Expr) -> bool:
    """Whether the term is written with a minus sign in front."""
    return bool(term.is_Mul and term.args[0].is_Number and term.args[0].is_negative)


def tidy(expression: sympy.Expr) -> sympy.Expr:
    """The shortest of a few equal ways to write an expression: factored, in groups, over one denominator.

    Only identities that end quickly are tried (no simplify), each on parts of bounded size.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.
    """
    if not expression.args:
        return expression
    arguments = [tidy(argument) for argument in expression.args]
    rebuilt = expression.func(*arguments)
    return min([*_widened(rebuilt), rebuilt, *_variants(rebuilt)], key=lambda e: (complexity(e), _fractions(e)))


def _fractions(expression: sympy.Expr) -> int:
    """How many fractions an expression holds: the tie is given to whole numbers."""
    return len([number for number in expression.atoms(sympy.Rational) if not number.is_Integer])


def _widened(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """One root or logarithm instead of several, a power instead of exp(a log b), log a + b instead of log(a exp(b)).

    They are equal wherever the expression is real, and real in more places: sqrt(a)*sqrt(b) is sqrt(a*b).
    """
    if expression.is_Mul:
        roots = [f for f in expression.args if f.is_Pow and f.exp.is_Rational and not f.exp.is_Integer]
        for root in {f.exp.q for f in roots if f.base.free_symbols}:
            same = [f for f in roots if f.exp.q == root and f.base.free_symbols]
            if len(same) > 1:
                sign = -1 if all(f.exp < 0 for f in same) else 1
                inner = sympy.Mul(*(f.base ** (sign * f.exp.p) for f in same))
                yield sympy.Mul(inner ** sympy.Rational(sign, root), *(f for f in expression.args if f not in same))
    if expression.is_Add:
        logs = [t for t in expression.args if isinstance(t, sympy.log) or isinstance(-t, sympy.log)]
        if len(logs) > 1:
            inner = sympy.Mul(*(t.args[0] if isinstance(t, sympy.log) else 1 / (-t).args[0] for t in logs))
            yield sympy.Add(sympy.log(inner), *(t for t in expression.args if t not in logs))
    if isinstance(expression, sympy.log) and expression.args[0].is_Mul:
        exponentials = [f for f in expression.args[0].args if isinstance(f, sympy.exp)]
        if exponentials:  # what is left of a positive product without them is positive
            rest = [f for f in expression.args[0].args if f not in exponentials]
            yield sympy.Add(sympy.log(sympy.Mul(*rest)), *(f.args[0] for f in exponentials))
    if isinstance(expression, sympy.exp) and expression.args[0].is_Mul:
        for factor in expression.args[0].args:
            if isinstance(factor, sympy.log):
                yield factor.args[0] ** (expression.args[0] / factor)


def _variants(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """Equal ways to write an expression, for its kind."""
    if expression.is_Pow and expression.base.is_Add and expression.exp.is_Rational:
        content = expression.base.primitive() if not expression.has(sympy.Float) else (sympy.Integer(1), None)
        if content[0] != 1:
            yield content[0] ** expression.exp * content[1] ** expression.exp
    if expression.is_Mul and len([a for a in expression.args if isinstance(a, sympy.exp)]) > 1:
        yield sympy.powsimp(expression, combine="exp")
    if expression.is_Mul and expression.could_extract_minus_sign():
        for factor in expression.args:  # -a/(b - c) is a/(c - b)
            base = factor.base if factor.is_Pow and factor.exp == -1 else factor
            if base.is_Add:
                yield sympy.Mul(-1, expression / factor) * (-base) ** (-1 if factor.is_Pow else 1)
    if expression.is_Mul:
        yield from _multiplied_out(expression)
    if not (expression.is_Add or expression.is_Mul):
        return
    number, rest = expression.as_coeff_Mul()
    if number.is_Float and not rest.has(sympy.Float):
        yield from (number * variant for variant in _variants(rest))
    if expression.has(sympy.Float):
        return
    plain, functions = _plain(expression)
    if functions and plain.is_rational_function(*plain.free_symbols):
        yield from (variant.xreplace(functions) for variant in _variants(plain))
    symbols = sorted(expression.free_symbols, key=str)
    if not symbols or sympy.count_ops(expression) > 6 * _TERMS:
        return
    if expression.is_Add and not expression.is_rational_function(*symbols):
        plain = [term for term in expression.args if term.is_polynomial(*symbols)]
        if len(plain) > 1:
            others = [term for term in expression.args if term not in plain]
            for variant in _variants(sympy.Add(*plain)):
                yield sympy.Add(variant, *others)
        yield sympy.factor_terms(expression)
    elif expression.is_Add and expression.is_polynomial(*symbols):
        if _small(expression, symbols):
            yield sympy.factor(expression)
            yield from grouped(expression)
    elif expression.is_rational_function(*symbols):
        yield sympy.factor(expression)
        yield sympy.cancel(expression)


def _multiplied_out(product: sympy.Expr) -> Iterator[sympy.Expr]:
    """A product whose monomial is multiplied into one of its sums: t*(c/u - x/(c*t)) is c*t/u - x/c."""
    powers = [factor for factor in product.args if factor.as_base_exp()[0].is_Symbol]
    for total in (factor for factor in product.args if factor.is_Add and powers):
        others = [factor for factor in product.args if factor is not total and factor not in powers]
        yield sympy.Mul(*others, sympy.Add(*(sympy.Mul(*powers, term) for term in total.args)))


def _plain(expression: sympy.Expr) -> tuple[sympy.Expr, dict[sympy.Dummy, sympy.Expr]]:
    """The expression with a symbol in place of each function in it, and what the symbols stand for."""
    functions = sorted(expression.atoms(sympy.Function), key=sympy.count_ops, reverse=True)
    symbols: dict[sympy.Expr, sympy.Dummy] = {}
    for place, function in enumerate(functions):
        if expression.has(function):
            symbols[function] = sympy.Dummy(f"f{place}", real=True)
            expression = expression.xreplace({function: symbols[function]})
    return expression, {symbol: function for function, symbol in symbols.items()}


def _small(expression: sympy.Expr, symbols: list[sympy.Symbol]) -> bool:
    """Whether a polynomial is short enough to be factored quickly."""
    polynomial = sympy.Poly(expression, *symbols)
    return len(polynomial.terms()) <= _TERMS and polynomial.total_degree() <= _DEGREE


def grouped(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """A polynomial as a sum over groups of inputs that no term joins, each group factored.

    The constant is tried in each group.

    Parameters
    ----------
    expression : sympy.Expr
        A polynomial.

    Examples
    --------
    >>> a, b, c, d = sympy.symbols("a:d")
    >>> next(grouped(sympy.expand((a - b)**2 + (c - d)**2)))
    (a - b)**2 + (c - d)**2
    """
    groups: list[tuple[set[sympy.Symbol], sympy.Expr]] = []
    rest = sympy.Integer(0)
    for term in sympy.Add.make_args(sympy.expand(expression)):
        symbols = term.free_symbols
        if not symbols:
            rest += term
            continue
        meeting = [group for group in groups if group[0] & symbols]
        groups = [group for group in groups if not group[0] & symbols]
        groups.append((set().union(symbols, *(g[0] for g in meeting)), sympy.Add(term, *(g[1] for g in meeting))))
    parts = sorted((part for _, part in groups), key=str)
    yield sympy.Add(*(sympy.factor(part) for part in parts), rest)
    if rest != 0:
        for place in range(len(parts)):
            yield sympy.Add(*(sympy.factor(part + (rest if k == place else 0)) for k, part in enumerate(parts)))
