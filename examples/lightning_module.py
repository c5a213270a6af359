"""The method in Lightning, by one callback: python examples/lightning_module.py (needs 'bimt[lightning]')."""

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from bimt_train import Penalty, Phase, Recipe, Relocation
from bimt_train.integrations import LightningPenalty


class Regression(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(4, 20), torch.nn.SiLU(), torch.nn.Linear(20, 2))

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        x, y = batch
        return torch.nn.functional.mse_loss(self.net(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=5e-3)


def main() -> None:
    lightning.seed_everything(0, verbose=False)
    x = torch.rand(512, 4) * 2 - 1
    y = torch.stack([x[:, 0] * x[:, 2], x[:, 1] ** 2 - x[:, 3]], dim=1)
    module = Regression()
    recipe = Recipe(phases=(Phase(0.0, 1e-3), Phase(0.5, 5e-3, biases=True)), relocation=Relocation(every=50))
    before = Penalty.of(module.net, recipe)
    print(f"before: cost {before.cost(module.net).item():.2f}, edges {before.edges(module.net)}")

    callback = LightningPenalty(recipe, part="net")
    trainer = lightning.Trainer(
        max_steps=500, accelerator="cpu", callbacks=[callback], gradient_clip_val=1.0,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True))
    after = callback.penalty
    print(f"after: cost {after.cost(module.net).item():.2f}, edges {after.edges(module.net)}")


if __name__ == "__main__":
    main()
