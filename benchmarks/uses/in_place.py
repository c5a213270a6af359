"""Plain networks distilled back to closed forms: the formula found from the network, put in its place, trained, read.

Every network is a plain torch MLP with two hidden layers of 64, trained by Adam and L-BFGS without connection cost. The
search sees what the network (or its submodule) reads and gives, and no target. The formula then stands in the model and
is trained on the targets.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from torch import nn

from benchmarks.common._measure import table, write_section
from bimt_analyze.in_place import read_back, replace, submodule_formulas

ROWS, WIDTH = 2000, 64
FORM = 1e-6  # of the truth's deviation, on twice the range: what a closed form leaves after training
HEAT, SOFTENING = 0.1, 0.25
_BEYOND = 1e6  # the loss where a formula is not defined


class Scaled(nn.Sequential):
    """An MLP that maps its inputs' range to [-1, 1] first."""

    def __init__(self, ranges: list[tuple[float, float]], outputs: int, activation: type[nn.Module]) -> None:
        super().__init__(
            nn.Linear(len(ranges), WIDTH), activation(), nn.Linear(WIDTH, WIDTH), activation(),
            nn.Linear(WIDTH, outputs),
        )  # fmt: skip
        low, high = torch.tensor(ranges).T
        self.register_buffer("middle", (low + high) / 2)
        self.register_buffer("reach", (high - low) / 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The MLP of scaled inputs."""
        return super().forward((x - self.middle) / self.reach)


class Bodies(nn.Module):
    """Accelerations of bodies in a plane: the sum of a function of each pair, which is one submodule."""

    def __init__(self, pair: nn.Module, *, radial: bool) -> None:
        super().__init__()
        self.pair, self.radial = pair, radial

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        """From [rows, bodies, (x, y, m)] to [rows, 2 bodies]."""
        bodies = range(state.shape[1])
        others = state[:, torch.tensor([[j for j in bodies if j != i] for i in bodies])]  # no body pulls itself
        apart, mass = others[..., :2] - state[:, :, None, :2], others[..., 2:]
        if self.radial:
            pulls = mass * apart * self.pair(apart.square().sum(-1, keepdim=True))
        else:
            pulls = self.pair(torch.cat([apart, mass], dim=-1))
        return pulls.sum(dim=2).flatten(1)


@dataclass(frozen=True)
class Case:
    """A law, a network for it, and where in the network the law stands."""

    name: str
    names: tuple[str, ...]
    truth: Callable[[np.ndarray], np.ndarray]  # of the place
    ranges: list[tuple[float, float]]  # of the place
    place: str = ""
    outputs: int = 1
    sibling: bool = False
    iterations: int = 800
    radial: bool | None = None

    def model(self, activation: type[nn.Module]) -> nn.Module:
        """A fresh network."""
        net = Scaled(self.ranges, self.outputs, activation)
        return net if self.radial is None else Bodies(net, radial=self.radial)

    def rows(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of the whole network."""
        if self.radial is None:
            x = rng.uniform(*np.array(self.ranges).T, (ROWS, len(self.ranges)))
            return x, self.truth(x)
        state = rng.uniform([-1, -1, 0.5], [1, 1, 1.5], (ROWS // 2, 3, 3))
        return state, Bodies(_Exact(), radial=False)(torch.tensor(state)).numpy()


class _Exact(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[..., :2] * (x[..., 2] * (x[..., :2].square().sum(-1) + SOFTENING) ** -1.5)[..., None]


def columns(*each: np.ndarray) -> np.ndarray:
    return np.stack(each, axis=1)


def mode(x: np.ndarray, k: float, n: int) -> np.ndarray:
    return np.exp(-((n * np.pi) ** 2) * k * x[:, 1]) * np.sin(n * np.pi * x[:, 0])


def damped(x: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    return columns(np.exp(-x[:, 2] * x[:, 0]) * np.cos(frequency * x[:, 0]))


UNIT, TIME, OSCILLATOR = (0.0, 1.0), (0.0, 5.0), [(0.0, 5.0), (1.0, 3.0), (0.1, 0.5)]
CASES = (
    Case("heat equation", ("x", "t"), lambda x: columns(mode(x, HEAT, 1)), [UNIT, UNIT]),
    Case(
        "n-body, pair of (dx, dy, m)", ("dx", "dy", "m"), lambda x: _Exact()(torch.tensor(x)).numpy(),
        [(-2, 2), (-2, 2), (0.5, 1.5)], "pair", 2, radial=False,
    ),
    Case("damped oscillator", ("t", "w", "g"), lambda x: damped(x, x[:, 1]), OSCILLATOR, iterations=1500),
    Case(
        "heat equation, diffusivity k an input", ("x", "t", "k"),
        lambda x: columns(np.exp(-(np.pi**2) * x[:, 2] * x[:, 1]) * np.sin(np.pi * x[:, 0])),
        [UNIT, UNIT, (0.05, 0.2)], sibling=True,
    ),
    Case(
        "heat equation, two modes", ("x", "t"), lambda x: columns(mode(x, HEAT, 1) + 0.5 * mode(x, HEAT, 2)),
        [UNIT, UNIT], sibling=True,
    ),
    Case(
        "n-body, pair of r^2", ("s",), lambda s: (s + SOFTENING) ** -1.5, [(0, 8)], "pair", radial=True, sibling=True
    ),
    Case(
        "damped oscillator, frequency sqrt(w^2 - g^2)", ("t", "w", "g"),
        lambda x: damped(x, np.sqrt(x[:, 1] ** 2 - x[:, 2] ** 2)), OSCILLATOR, sibling=True, iterations=1500,
    ),
)  # fmt: skip


def train(model: nn.Module, x: torch.Tensor, y: torch.Tensor, *, steps: int, iterations: int, seed: int) -> nn.Module:
    """Adam on batches, then L-BFGS on all rows."""
    generator, adam = torch.Generator().manual_seed(seed), torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        some = torch.randint(len(x), (256,), generator=generator)
        loss = nn.functional.mse_loss(model(x[some]), y[some])
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    return refine(model, x, y, iterations=iterations, unit=1.0)


def refine(model: nn.Module, x: torch.Tensor, y: torch.Tensor, *, iterations: int, unit: float) -> nn.Module:
    """L-BFGS on all rows. It takes a gradient below 1e-5 for none, so the loss is told in a unit."""
    optimiser = torch.optim.LBFGS(
        model.parameters(), max_iter=iterations, history_size=30, line_search_fn="strong_wolfe",
        tolerance_change=0, tolerance_grad=0,
    )  # fmt: skip

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = nn.functional.mse_loss(model(x), y) / unit
        value.backward()
        if torch.isfinite(value):
            return value
        for parameter in model.parameters():  # a step over the edge of the formula's domain: the next one is shorter
            parameter.grad.zero_()
        return torch.full_like(value, _BEYOND).detach()

    optimiser.step(closure)
    return model


def sharpened(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    """The model trained on until its loss falls no more, each round in the unit of its first loss."""
    for _ in range(8):
        with torch.no_grad():
            before = float(nn.functional.mse_loss(model(x), y))
        if before < 1e-28:
            break
        refine(model, x, y, iterations=40, unit=before)
    return model


def relative(given: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square of the difference, over the truth's deviation."""
    return float(np.sqrt(np.mean((given - truth) ** 2)) / np.std(truth))


def distil(number: int, seed: int, activation: type[nn.Module], limit: float) -> dict[str, Any]:
    """One network, from training to what is read back."""
    case = CASES[number]
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    x, y = case.rows(np.random.default_rng(seed))
    x_test, y_test = case.rows(np.random.default_rng(1000 + seed))
    single = [torch.tensor(each, dtype=torch.float32) for each in (x, y)]
    model = train(case.model(activation), *single, steps=1500, iterations=case.iterations, seed=seed)
    with torch.no_grad():
        error = relative(model(torch.tensor(x_test, dtype=torch.float32)).numpy(), y_test)
    formulas = submodule_formulas(
        model, case.place, x=x, inputs=case.names, error=2 * error, time_limit=limit, seed=seed
    )
    found = replace(model.double(), case.place, by=formulas, x=x_test, y=y_test, measure=False)
    trained = sharpened(found.model, torch.tensor(x), torch.tensor(y))
    low, high = np.array(case.ranges).T  # twice the range; of the heat equation and the oscillator forwards in time
    wide = np.random.default_rng(seed).uniform(low, high + (high - low), (ROWS, len(low)))
    with torch.no_grad():
        left = relative(trained.get_submodule(case.place)(torch.tensor(wide)).numpy(), case.truth(wide))
    found_here = {
        "case": number, "seed": seed, "activation": activation.__name__, "error": error, "loss": found.loss,
        "found": "; ".join(str(one.readable) for one in formulas),
        "read": "; ".join(str(one) for one in next(iter(read_back(trained).values())).values()),
        "left": left, "closed": bool(left <= FORM),
        "test": float(nn.functional.mse_loss(trained(torch.tensor(x_test)), torch.tensor(y_test)).detach()),
    }  # fmt: skip
    print(case.name, found_here, flush=True)
    return found_here


def main() -> None:
    """Distil every case with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--limit", type=float, default=20.0, help="units of work for each formula")
    parser.add_argument("--siblings", action="store_true", help="laws beside the three, easier or harder")
    parser.add_argument("--only", default="", help="a part of a name; prints, and writes nothing")
    chosen = parser.parse_args()
    cases = [place for place, case in enumerate(CASES) if case.sibling == chosen.siblings and chosen.only in case.name]
    outcomes = Parallel(n_jobs=2)(
        delayed(distil)(case, seed, (nn.Tanh, nn.SiLU)[seed % 2], chosen.limit)
        for case in cases
        for seed in range(chosen.seeds)
    )
    if not chosen.only:
        write_section("In place, siblings" if chosen.siblings else "In place", section(outcomes, chosen.limit))


def section(outcomes: list[dict[str, Any]], limit: float) -> list[str]:
    """Counts, then each network."""
    counts = []
    for number in sorted({one["case"] for one in outcomes}):
        case, of = CASES[number], [one for one in outcomes if one["case"] == number]
        counts.append([
            case.name, len(of), sum(one["closed"] for one in of),
            f"{min(one['error'] for one in of):.1e} to {max(one['error'] for one in of):.1e}",
        ])  # fmt: skip
    each = [
        [CASES[one["case"]].name, one["seed"], one["activation"], f"{one['error']:.1e}", f"`{cut(one['found'])}`",
         f"{one['loss'][0]:.1e}, {one['loss'][1]:.1e}, {one['test']:.1e}", f"`{cut(one['read'])}`",
         f"{one['left']:.1e}", "yes" if one["closed"] else "no"]
        for one in outcomes
    ]  # fmt: skip
    return [
        f"Plain torch MLPs, two hidden layers of {WIDTH}, {ROWS:,} rows (of three bodies half as many), Adam and "
        "L-BFGS; tanh for even seeds, SiLU for odd ones. The formula is searched on what the network's place gives, "
        f"known to twice the network's own error, with {limit:g} units of work. It is put in place and trained on the "
        f"targets by L-BFGS, in double precision. Closed form: what is read back leaves at most {FORM:g} of the "
        "truth's deviation on rows that reach a range further than the network saw. Errors are root mean squares over "
        "the deviation.",
        "",
        *table(["law", "networks", "closed forms", "error of the networks"], counts),
        "",
        *table(
            ["law", "seed", "activation", "network's error", "found from the network",
             "test loss: network, formula put in place, trained", "read back", "left beyond the range", "closed form"],
            each,
        ),
    ]  # fmt: skip


def cut(text: str) -> str:
    return text if len(text) <= 150 else text[:147] + "..."


if __name__ == "__main__":
    main()
