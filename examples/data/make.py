"""Make the tables and the network of this folder anew: python examples/data/make.py [FOLDER]."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.integrate import solve_ivp


def measurements() -> pd.DataFrame:
    """Lift and drag of a wing, by two laws: lift = 0.6 speed^2 area, drag = 0.03 speed^2 area + 0.5 speed."""
    speed, area = (side.ravel() for side in np.meshgrid(np.arange(6.0, 31.0, 2.0), np.arange(0.5, 2.6, 0.25)))
    lift, drag = 0.6 * speed**2 * area, 0.03 * speed**2 * area + 0.5 * speed
    return pd.DataFrame({"speed": speed, "area": area, "lift": lift.round(3), "drag": drag.round(4)})


def trajectories() -> pd.DataFrame:
    """Hares and lynxes from three starts, with 1 % noise: hares' = 3/2 h - h l, lynxes' = 4/5 h l - 2 l."""
    random, times, runs = np.random.default_rng(0), np.linspace(0, 8, 81), []
    for run, start in enumerate([(2.0, 1.0), (4.0, 0.7), (3.0, 3.0)], 1):
        done = solve_ivp(
            lambda _, s: (1.5 * s[0] - s[0] * s[1], 0.8 * s[0] * s[1] - 2 * s[1]),
            (0, 8), start, t_eval=times, rtol=1e-10, atol=1e-12,
        )  # fmt: skip
        values = done.y.T + 0.01 * np.std(done.y.T, axis=0) * random.normal(size=done.y.T.shape)
        runs.append(
            pd.DataFrame(
                {"run": run, "t": times.round(1), **dict(zip(("hares", "lynxes"), values.T.round(4), strict=True))}
            )
        )
    return pd.concat(runs)


def model() -> dict[str, torch.Tensor]:
    """A network that torch alone has trained on sin(3 x1) + x2^2, as torch saves it: names and numbers alone."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 12), torch.nn.SiLU(), torch.nn.Linear(12, 1))
    x = torch.rand(200, 2) * 2 - 1
    y = torch.sin(3 * x[:, :1]) + x[:, 1:] ** 2
    optimiser = torch.optim.LBFGS(net.parameters(), max_iter=400, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        missed = torch.nn.functional.mse_loss(net(x), y)
        missed.backward()
        return missed

    optimiser.step(loss)
    return net.state_dict()


def main(folder: Path) -> None:
    measurements().to_csv(folder / "measurements.csv", index=False)
    trajectories().to_csv(folder / "trajectories.csv", index=False)
    torch.save(model(), folder / "model.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
