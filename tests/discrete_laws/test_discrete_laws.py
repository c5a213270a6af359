"""Laws of truth values, of whole numbers and of classes."""

import json

import numpy as np
import pytest
import sympy

from bimt_analyze.discrete_laws import ClassFormulas, class_formulas, find_discrete_law, find_recurrence
from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec, from_state_dict

EVERY = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=np.float64)


@pytest.mark.parametrize("number", [1, 22, 105, 150, 232, 254])
def test_every_row_of_a_truth_table_is_met_by_its_logic(number):
    y = np.array([number >> k & 1 for k in range(8)], dtype=np.float64)
    law = find_discrete_law(EVERY, y, names=["a", "b", "c"])
    names = sympy.symbols("a b c", real=True)
    said = [bool(law.expression.subs(dict(zip(names, map(bool, row), strict=True)))) for row in EVERY]
    assert law.kind == "logic" and law.right == 1.0 and said == y.astype(bool).tolist()


def test_the_majority_and_the_parity_are_short_and_few_rows_may_be_chance():
    majority = find_discrete_law(EVERY, (EVERY.sum(axis=1) > 1).astype(float), names=["a", "b", "c"])
    a, b, c = sympy.symbols("a b c", real=True)
    assert majority.expression in ((a & b) | (a & c) | (b & c), (a | b) & (a | c) & (b | c))
    assert find_discrete_law(EVERY, EVERY.sum(axis=1) % 2, names=["a", "b", "c"]).expression == a ^ b ^ c
    assert not majority.exact and "may be chance" in majority.verdict()


def test_contradicting_rows_are_counted():
    x, y = np.repeat(EVERY, 5, axis=0), np.repeat(EVERY[:, 0], 5)
    y[0] = 1.0
    law = find_discrete_law(x, y, names=["a", "b", "c"])
    assert str(law) == "y = a" and law.right == pytest.approx(39 / 40) and not law.exact


@pytest.mark.parametrize(("modulus", "a", "b", "c"), [(7, 3, 5, 2), (12, 5, 7, 0), (59, 1, 1, 0), (10, 3, 0, 4)])
def test_a_sum_modulo_a_number_is_found(modulus, a, b, c):
    x = np.random.default_rng(0).integers(0, 100, (120, 2)).astype(float)
    y = (a * x[:, 0] + b * x[:, 1] + c) % modulus
    law = find_discrete_law(x, y, names=["m", "n"])
    m, n = sympy.symbols("m n", real=True)
    assert law.expression == sympy.Mod(a * m + b * n + c, modulus, evaluate=False) and law.exact


def test_products_modulo_a_number_are_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 50, (90, 2)).astype(float)
    law = find_discrete_law(x, (2 * x[:, 0] * x[:, 1] + x[:, 1] ** 2 + 3) % 11, names=["m", "n"])
    m, n = sympy.symbols("m n", real=True)
    assert law.expression == sympy.Mod(2 * m * n + n**2 + 3, 11, evaluate=False)
    assert find_discrete_law(x, rng.integers(0, 11, 90).astype(float), names=["m", "n"]) is None


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([2, 3, 5, 9, 17, 33, 65, 129], "y = -2*y(n - 2) + 3*y(n - 1)"),
        ([0, 1, 1, 2, 4, 7, 13, 24, 44, 81], "y = y(n - 3) + y(n - 2) + y(n - 1)"),
        ([1, 3, 6, 10, 15, 21, 28], "y = n**2/2 + 3*n/2 + 1"),
        ([5, 5, 5, 5, 5], "y = 5"),
    ],
)
def test_the_rule_of_a_sequence(terms, said):
    assert str(find_recurrence(terms)) == said


@pytest.mark.parametrize(
    ("rule", "said", "kind"),
    [
        (lambda n: n * (n + 1) // 2, "y = k**2/2 + k/2", "polynomial"),
        (lambda n: n % 3, "y = Mod(k, 3)", "modular"),
        (lambda n: 2**n, "y = 2*y(k - 1)", "recurrence"),
        (lambda n: 7 + 0 * n, "y = 7", "constant"),
    ],
)
def test_the_rule_of_rows_whose_input_counts_up_is_the_shortest(rule, said, kind):
    places = np.random.default_rng(0).permutation(np.arange(3, 30))
    law = find_discrete_law(places[:, None].astype(float), rule(places).astype(float), names=["k"])
    assert str(law) == said and law.kind == kind and law.exact


def test_a_late_exception_ends_a_rule_and_many_terms_take_no_time():
    terms = [n**2 for n in range(400)]
    assert find_recurrence(terms, place="k", first=1).expression == sympy.expand(
        (sympy.Symbol("k", integer=True) - 1) ** 2
    )
    assert find_recurrence([*terms, 3]) is None
    fibonacci = [1, 1]
    while len(fibonacci) < 60:
        fibonacci.append(sum(fibonacci[-2:]))
    assert find_recurrence(fibonacci).kind == "recurrence" and find_recurrence([*fibonacci, 0]) is None


def test_an_exception_in_the_last_rows_ends_a_sum_modulo_a_number():
    x = np.random.default_rng(0).integers(0, 50, (200, 2)).astype(float)
    y = (3 * x[:, 0] + x[:, 1]) % 17
    assert find_discrete_law(x, y, names=["m", "n"]).exact
    for row in (0, 77, 199):
        off = y.copy()
        off[row] = (off[row] + 1) % 17
        assert find_discrete_law(x, off, names=["m", "n"]) is None


def test_a_sequence_without_a_rule_has_none():
    assert find_recurrence([2, 3, 5, 7, 11, 13, 17, 19, 23, 29]) is None


def classifier(weights, loss, outputs, sides):
    """A linear network of two inputs with 40 rows and their classes."""
    net = from_state_dict(weights, activation="relu", ranges=(-1, 1)).network
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    y = sides(x)
    return Checkpoint(net, TaskSpec("sides", ("u", "v"), outputs, ((-1, 1),) * 2, loss=loss), Probe(x, y, x, y), {})


def test_the_log_odds_of_three_classes_are_told_against_one():
    w, b = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]]), np.array([0.5, 0.0, -0.25])
    checkpoint = classifier(
        {"0.weight": w, "0.bias": b},
        "cross-entropy",
        ("p", "q", "r"),
        lambda x: np.eye(3)[np.argmax(x @ w.T + b, axis=1)],
    )
    found = class_formulas(checkpoint, reference="q", time_limit=0.3)
    u, v = sympy.symbols("u v", real=True)
    assert found.formulas["p"].expression == u - 2 * v + sympy.Rational(1, 2)
    assert found.boundary("r") == sympy.Eq(-u - v - sympy.Rational(1, 4), 0)
    assert found.agreement == found.fresh_agreement == found.right == found.network_right == 1.0 and found.rows == 40
    assert json.loads(json.dumps(found.to_json()))["reference"] == "q" and "log-odds" in found._repr_html_()


def test_the_shares_are_counted_at_the_held_out_rows():
    rng = np.random.default_rng(1)
    sizes = ((8, 2), (8,), (2, 8), (2,))
    weights = dict(
        zip(("0.weight", "0.bias", "1.weight", "1.bias"), (rng.normal(size=s) * 3 for s in sizes), strict=True)
    )
    net = from_state_dict(weights, activation="tanh", ranges=(-1, 1)).network
    x = rng.uniform(-1, 1, (140, 2))
    truth = np.argmax(net.predict(x), axis=1) ^ (rng.random(140) < 0.1)  # a tenth of the rows says otherwise
    task = TaskSpec("bent", ("u", "v"), ("p", "q"), ((-1, 1),) * 2, loss="cross-entropy")
    found = class_formulas(
        Checkpoint(net, task, Probe(x[:40], np.eye(2)[truth[:40]], x[40:], np.eye(2)[truth[40:]]), {}), time_limit=0.3
    )
    odds = sympy.lambdify(sympy.symbols("u v", real=True), found.formulas["q"].expression, "numpy")(*x[40:].T)
    said, decided = odds > 0, np.argmax(net.predict(x[40:]), axis=1) == 1
    assert 0.5 < found.agreement == np.mean(said == decided) < 1.0 and found.rows == 100
    assert found.right == np.mean(said == truth[40:]) and found.network_right == np.mean(decided == truth[40:])
    assert found.fresh_agreement not in (found.agreement, 1.0)


def test_less_than_all_is_never_written_as_all():
    nearly = ClassFormulas(("a", "b"), "a", {}, 0.9999, 1.0, right=0.99999, network_right=1.0, rows=20_000)
    assert nearly.verdict() == (
        "decides as the network at 99.9% of 20000 held-out rows and 100.0% of fresh points; "
        "right at 99.9%, the network at 100.0%"
    )


def test_one_output_is_its_own_log_odds():
    checkpoint = classifier(
        {"0.weight": np.array([[3.0, 0.0]]), "0.bias": np.array([-1.5])},
        "bce",
        ("on",),
        lambda x: (x[:, :1] > 0.5) * 1.0,
    )
    found = class_formulas(checkpoint, time_limit=0.3)
    assert found.classes == ("not on", "on") and found.right == 1.0
    assert sympy.solve(found.boundary("on")) == [sympy.Rational(1, 2)]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: find_discrete_law(EVERY + 0.5, EVERY[:, 0], names=["a", "b", "c"]), "not whole"),
        (lambda: find_discrete_law(np.zeros((2, 13)), np.ones(2), names=list("abcdefghijklm")), "many inputs"),
        (lambda: find_recurrence([1, 2]), "no sequence"),
        (lambda: class_formulas(numbers()), "no classes"),
        (lambda: class_formulas(sides(), reference="x"), "no such class"),
    ],
)
def test_bad_input_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()


def numbers():
    return classifier({"0.weight": np.ones((1, 2)), "0.bias": np.zeros(1)}, "mse", ("y",), lambda x: x[:, :1])


def sides():
    return classifier(
        {"0.weight": np.eye(2), "0.bias": np.zeros(2)},
        "cross-entropy",
        ("p", "q"),
        lambda x: np.eye(2)[np.argmax(x, axis=1)],
    )
