"""One law, many groups: the form, which constants are shared, the groups that do not follow, and what is said."""

import json

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import PriorKnowledge
from bimt_analyze.grouped_laws import find_grouped_law
from bimt_train import InputError

FORM = "a*exp(-k*t) + c"


def rows(groups, each, law, *, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 4, (groups * each, 1))
    labels = np.repeat(np.arange(groups), each)
    y = np.concatenate([law(g, x[labels == g, 0]) for g in range(groups)])
    return x, y + noise * rng.normal(size=len(y)), labels


def decay(g, t):
    return (1.0 + g) * np.exp(-0.7 * t) + 0.5


def test_a_form_is_found_with_its_shared_and_its_own_constants():
    x, y, labels = rows(4, 15, decay)
    law = find_grouped_law(x, y, labels, names=["t"], time_limit=1)
    assert law.word == "exact" and law.own == ("a",) and law.labels == (0, 1, 2, 3)
    np.testing.assert_allclose(law.constants("a"), [1, 2, 3, 4], rtol=1e-9)
    t = sympy.Symbol("t", real=True)
    assert sympy.simplify(law.in_group(1) - (2.0 * sympy.exp(-7 * t / 10) + sympy.Rational(1, 2))).evalf(8) == 0
    np.testing.assert_allclose(law.predict(x, labels), y, rtol=1e-9)


@pytest.mark.parametrize(
    ("law", "own"),
    [
        (decay, {"a"}),
        (lambda g, t: 2 * np.exp(-(0.3 + 0.2 * g) * t) + 0.5, {"k"}),
        (lambda g, t: (1 + g) * np.exp(-0.7 * t) + 3 * g, {"a", "c"}),
        (lambda g, t: 2 * np.exp(-0.7 * t) + 0.5, set()),
    ],
)
def test_noisy_rows_tell_which_constants_are_shared(law, own):
    x, y, labels = rows(5, 20, law, noise=0.01, seed=1)
    found = find_grouped_law(x, y, labels, names=["t"], form=FORM)
    assert set(found.own) == own and found.word == "within noise" and not found.apart


def test_values_that_differ_by_less_than_their_errors_are_shared_and_by_more_are_not():
    def law(step):
        return lambda g, t: 2 * np.exp(-0.7 * t) + step * g

    own = [
        find_grouped_law(*rows(6, 20, law(step), noise=0.05, seed=2), names=["t"], form=FORM).own
        for step in (0.001, 0.1)
    ]
    assert own == [(), ("c",)]


def test_a_group_that_does_not_follow_is_named_and_left_out():
    def law(g, t):
        return np.sin(3 * t) if g == 3 else decay(g, t)

    found = find_grouped_law(*rows(6, 15, law, noise=0.01), names=["t"], form=FORM)
    assert found.apart == (3,) and found.own == ("a",) and "1 of 6 groups do not follow: 3" in found.message
    assert [one.follows for one in found.groups] == [True, True, True, False, True, True]
    assert "5 of 6 groups" in found.verdict()


def test_a_group_with_another_value_of_a_shared_constant_does_not_follow():
    def law(g, t):
        return (1 + g) * np.exp(-(0.7 if g != 2 else 1.4) * t) + 0.5

    found = find_grouped_law(*rows(10, 15, law, noise=0.005), names=["t"], form=FORM)
    assert found.apart == (2,) and found.own == ("a",)


def test_phases_half_a_turn_apart_are_written_alike():
    def law(g, t):
        return 2 * np.sin(1.5 * t + (0.4, 3.3, -2.0, 1.6)[g])

    found = find_grouped_law(*rows(4, 20, law), names=["t"], form="a*sin(w*t + p)")
    assert found.own == ("p",) and found.word == "exact"
    assert abs(found.shared["a"].value) == pytest.approx(2)


def test_a_form_that_is_not_the_law_is_no_law():
    found = find_grouped_law(*rows(4, 40, decay), names=["t"], form="a*t + c")
    assert found.word in ("interpolation", "none") and found.message
    found = find_grouped_law(*rows(4, 40, lambda g, t: np.sin(5 * t)), names=["t"], form="a*t + c")
    assert found.word == "none" and "left out" in found.message


def test_what_is_known_keeps_forms_out():
    x, y, labels = rows(3, 15, decay)
    known = PriorKnowledge(functions=())
    law = find_grouped_law(x, y, labels, names=["t"], time_limit=0.2, prior=known)
    assert not law.expression.atoms(sympy.Function) and law.word != "exact"


def test_the_law_shows_itself(tmp_path):
    pandas = pytest.importorskip("pandas")
    law = find_grouped_law(*rows(12, 8, decay, noise=0.01), names=["t"], output="u", form=FORM)
    assert "a in each group" in str(law) and str(law).startswith("u = a*exp(")
    assert "within noise, 12 groups" in repr(law)
    frame = law.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["group", "rows", "a", "a_error", "r2", "residual", "follows"]
    assert len(frame) == 12 and (abs(frame["a"] - np.arange(1, 13)) < 5 * frame["a_error"]).all()
    assert "and 2 more" in law._repr_html_() and "12 groups" in law._repr_html_()
    assert json.loads(json.dumps(law.to_json()))["own"] == ["a"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"groups": [0] * 30}, "no table of groups"),
        ({"groups": [0] * 29}, "labels of groups do not fit"),
        ({"groups": [0] * 28 + [1] * 2}, "too few rows"),
        ({"form": "3*t"}, "a form that cannot be fitted"),
        ({"form": "log(-1-a**2*t)"}, "not defined"),
        ({"prior": PriorKnowledge(even=("z",))}, "unknown input"),
    ],
)
def test_bad_input_is_refused(change, said):
    x, y, labels = rows(3, 10, decay)
    given = {"groups": labels, "form": FORM, **change}
    with pytest.raises(InputError, match=said):
        find_grouped_law(x, y, given.pop("groups"), names=["t"], **given)
