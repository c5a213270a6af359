"""The method in a training loop of your own, in three lines: python examples/own_loop.py."""

import torch

from bimt_train import ConnectionCost, Penalty, Phase, Recipe, Relocation, verify

STEPS = 800


def main() -> None:
    torch.manual_seed(0)
    x = torch.rand(256, 4) * 2 - 1
    y = torch.stack([(x[:, 0] + x[:, 2]) ** 3, x[:, 1] ** 2 + torch.sin(torch.pi * x[:, 3])], dim=1)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 20), torch.nn.SiLU(), torch.nn.Linear(20, 20), torch.nn.SiLU(), torch.nn.Linear(20, 2)
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=4e-3)

    phases = (Phase(0.0, 1e-3), Phase(0.25, 1e-2), Phase(0.75, 1e-3, biases=True))
    recipe = Recipe(steps=STEPS, phases=phases, cost=ConnectionCost(), relocation=Relocation(every=100))
    penalty = Penalty.of(model, recipe)
    verify(model, penalty.layout, x[:32])
    print(f"before: cost {penalty.cost(model).item():.2f}, edges {penalty.edges(model)}")

    for step in range(STEPS):
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        penalty.add_gradients(model, step)
        optimiser.step()
        penalty = penalty.after_step(model, step)
    print(f"after: cost {penalty.cost(model).item():.2f}, edges {penalty.edges(model)}, loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
