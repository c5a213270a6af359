"""The compiled pass over gradients: what torch adds, and what the cost says in double precision."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bimt_train import ConnectionCost
from bimt_train.integrations import _add_gradients
from bimt_train.integrations._add_gradients import Charged, add_by_code, add_by_torch, add_gradients
from bimt_train.integrations._prices import DistancePrice, EqualPrice, Price, StoredPrice, prices_of
from bimt_train.layouts import Group, Layout, Placement, TensorSpec
from bimt_train.native._load import compiled_module

CODE = compiled_module()
built = pytest.mark.skipif(CODE is None, reason="the compiled code was not built: no C compiler was there")
KERNELS = () if CODE is None else CODE.KERNELS
ODD = torch.tensor([0.0, -0.0, torch.nan, -torch.nan, 1e-42, -1e-42, torch.inf, -torch.inf, 1.0])


class OwnTensor(torch.Tensor):
    """A tensor whose numbers may lie where only its class knows."""


def weights(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal numbers, among them zeros, infinities, subnormal numbers and some that are none."""
    draw = torch.Generator().manual_seed(seed)
    odd = ODD[torch.randint(len(ODD), shape, generator=draw)]
    return torch.where(torch.rand(shape, generator=draw) < 0.3, odd, torch.randn(shape, generator=draw))


def by_torch(charged: Charged, strength: float) -> torch.Tensor:
    gradient = charged.gradient.clone()
    add_by_torch(Charged(charged.price, gradient, charged.w), strength)
    return gradient


def by_code(charged: Charged, strength: float, *, threads: int = 1, kernel: int = 0) -> torch.Tensor:
    assert CODE is not None
    gradient = charged.gradient.clone()
    ours = Charged(charged.price, gradient, charged.w)
    price = ours.matrix_price()
    assert price is not None
    add_by_code(CODE, [(ours, price)], strength, threads=threads, kernel=kernel)
    return gradient


@st.composite
def cases(draw: st.DrawFn) -> tuple[Charged, float]:
    """A weight between two groups on axes of its own, the first axis among them, and what it is charged."""
    shape = draw(st.lists(st.integers(1, 40), min_size=2, max_size=4))
    other = draw(st.integers(1, len(shape) - 1))
    dimensions, seed = draw(st.integers(1, 4)), draw(st.integers(0, 2**32 - 1))
    generator = torch.Generator().manual_seed(seed)
    sides = [
        torch.rand(dimensions, *(n if k == axis else 1 for k, n in enumerate(shape)), generator=generator)
        for axis in draw(st.permutations([0, other]))
    ]
    price: Price = DistancePrice(*sides, draw(st.floats(0.0, 1.0)))
    if draw(st.booleans()):
        price = EqualPrice(draw(st.floats(0.0, 1.0)))
    gradient = torch.randn(shape, generator=generator)
    return Charged(price, gradient, weights(*shape, seed=seed)), draw(st.floats(0.0, 10.0))


@built
@settings(deadline=None, max_examples=60)
@given(cases(), st.integers(1, 5))
def test_it_is_what_torch_adds(case: tuple[Charged, float], threads: int) -> None:
    charged, strength = case
    expected, pays = by_torch(charged, strength), charged.w.sign() != 0
    for kernel in range(len(KERNELS)):
        found = by_code(charged, strength, threads=threads, kernel=kernel)
        assert torch.equal(found[~pays], charged.gradient[~pays])
        torch.testing.assert_close(found, expected, rtol=2e-7, atol=1e-6 * strength)  # a fused product rounds once less


@built
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("pattern", ["b a", "a -> b", "b a _", "(2 b) (a 3)"])
@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("cost", [ConnectionCost(), ConnectionCost(l0=0.5, scale=2.0, reduction="mean")])
def test_it_is_what_the_cost_says(kernel: str, pattern: str, grid: bool, cost: ConnectionCost) -> None:
    group = Group.grid if grid else Group.line
    layout = Layout((group("a", 12), group("b", 20)), {"w": TensorSpec(pattern)})
    shape = {"b a": (20, 12), "a -> b": (12, 20), "b a _": (20, 12, 5), "(2 b) (a 3)": (40, 36)}[pattern]
    placement = Placement({"a": tuple(np.random.default_rng(0).permutation(12).tolist()), "b": tuple(range(20))})
    w = torch.randn(shape)
    price = prices_of(cost, layout, placement, {"w": w})["w"]
    assert isinstance(price, DistancePrice)
    expected = 1 + 3.0 * cost.prices(layout, placement, {"w": shape})["w"] * np.sign(w.double().numpy())
    found = by_code(Charged(price, torch.ones(shape), w), 3.0, kernel=KERNELS.index(kernel))
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=3e-7)


@built
def test_what_fits_is_added_by_code_and_the_rest_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr(_add_gradients, "add_by_torch", lambda charged, strength: served.append(charged))
    w, equal = torch.randn(6, 4), EqualPrice(0.5)
    apart = DistancePrice(torch.rand(1, 1, 4), torch.rand(1, 6, 1), 0.1)
    by_their_code = [
        Charged(equal, torch.ones(6, 4), w),
        Charged(apart, torch.ones(6, 4), nn.Parameter(w)),
        Charged(equal, torch.tensor(1.0), torch.tensor(-2.0)),
    ]
    rest = [
        Charged(StoredPrice(w.abs()), torch.ones(6, 4), w),
        Charged(equal, torch.ones(6, 4).double(), w.double()),
        Charged(equal, torch.ones(6, 4).bfloat16(), w.bfloat16()),
        Charged(equal, torch.ones(4, 6).T, w),
        Charged(equal, torch.ones(6, 4), w.T.contiguous().T),
        Charged(equal, torch.ones(6, 4, device="meta"), w.to("meta")),
        Charged(equal, torch.ones(6, 4).to_mkldnn(), w),
        Charged(equal, torch.ones(6, 4).as_subclass(OwnTensor), w),
        Charged(DistancePrice(torch.rand(1, 1, 4), torch.rand(1, 0, 1), 0.1), torch.ones(0, 4), torch.ones(0, 4)),
        Charged(DistancePrice(apart.here.double(), apart.there.double(), 0.1), torch.ones(6, 4), w),
        Charged(
            DistancePrice(apart.here[:, None], apart.there[:, None], 0.1), torch.ones(2, 6, 4), w.expand(2, -1, -1)
        ),
        Charged(
            DistancePrice(apart.here[:, None], apart.there[:, None], 0.1), torch.ones(2, 6, 4), torch.randn(2, 6, 4)
        ),
    ]
    versions = [each.gradient._version for each in by_their_code]
    add_gradients(by_their_code + rest, 2.0)
    assert served == rest
    for each, version in zip(by_their_code, versions, strict=True):
        torch.testing.assert_close(each.gradient, by_torch(Charged(each.price, torch.ones_like(each.w), each.w), 2.0))
        assert each.gradient._version > version


@built
def test_a_tensor_that_is_charged_by_two_names_is_charged_twice_by_several_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_add_gradients, "_WORTH_THREADS", 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    w, gradient, price = torch.randn(500, 700), torch.zeros(500, 700), EqualPrice(1.0)
    used = []

    def spied(*given: object, threads: int) -> None:
        used.append(threads)
        add_by_code(*given, threads=threads)

    monkeypatch.setattr(_add_gradients, "add_by_code", spied)
    add_gradients([Charged(price, gradient, w)] * 8, 1.0)
    assert torch.equal(gradient, 8 * w.sign()) and used == [4]


def test_without_the_code_torch_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_add_gradients, "compiled_module", lambda: None)
    gradient = torch.ones(3)
    add_gradients([Charged(EqualPrice(0.5), gradient, torch.tensor([-1.0, 0.0, 2.0]))], 2.0)
    assert gradient.tolist() == [0.0, 1.0, 2.0]


@built
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gradient": 5}, "a gradient of another size"),
        ({"here": 1}, "places of another size"),
        ({"there": 4}, "places of another size"),
        ({"dimensions": -1}, "places of another size"),
        ({"rows": 4}, "rows that do not fit"),
        ({"rows": -1}, "rows that do not fit"),
        ({"rows": 0}, "rows that do not fit"),
        ({"kernel": 9}, "a kernel that this machine cannot run"),
        ({"kernel": -1}, "a kernel that this machine cannot run"),
        ({"begin": -1}, "entries that do not exist"),
        ({"end": 7}, "entries that do not exist"),
    ],
)
def test_the_code_refuses_arrays_that_do_not_fit(changed: dict[str, int], message: str) -> None:
    assert CODE is not None
    sizes = {"gradient": 6, "w": 6, "here": 2, "there": 3, **changed}
    arrays = [np.zeros(sizes[name], np.float32) for name in ("gradient", "w", "here", "there")]
    numbers = {"kernel": 0, "dimensions": 1, "rows": 2, "begin": 0, "end": 6, **changed}
    with pytest.raises(ValueError, match=message):
        CODE.charge(*arrays, 0.1, 1.0, *(numbers[name] for name in ("kernel", "dimensions", "rows", "begin", "end")))
