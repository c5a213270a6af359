"""The method in Hugging Face's Trainer, by one callback: python examples/huggingface_trainer.py.

A small GPT-2 learns to copy: the second half of each row repeats the first. Needs 'bimt[transformers]'.
"""

import tempfile

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from bimt_train import ConnectionCost, Penalty, Phase, Recipe, Relocation, verify
from bimt_train.integrations import TrainerPenalty


def main() -> None:
    torch.manual_seed(0)
    sizes = {"vocab_size": 16, "n_positions": 8, "n_embd": 32, "n_layer": 1, "n_head": 4}
    config = GPT2Config(**sizes, initializer_range=0.1, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config)
    halves = torch.randint(0, 16, (2000, 4))
    rows = [{"input_ids": row, "labels": row} for row in torch.cat([halves, halves], dim=1)]

    cost = ConnectionCost(l0=0.5, scale=2.0, reduction="mean")
    recipe = Recipe(phases=(Phase(0.0, 0.1), Phase(0.5, 5.0)), cost=cost, relocation=Relocation(every=50))
    before = Penalty.of(model, recipe)
    verify(model, before.layout, torch.stack([row["input_ids"] for row in rows[:4]]))
    print(f"before: cost {before.cost(model).item():.3f}, edges {before.edges(model)}")

    callback = TrainerPenalty(recipe)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=300, per_device_train_batch_size=32, learning_rate=3e-3, weight_decay=0.0, use_cpu=True,
            save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True,
        )  # fmt: skip
        Trainer(model, arguments, train_dataset=rows, callbacks=[callback]).train()
    after = callback.penalty
    copied = model.eval()(torch.cat([halves, halves], dim=1)).logits[:, 3:7].argmax(2) == halves
    print(f"after: cost {after.cost(model).item():.3f}, edges {after.edges(model)}, copied {copied.float().mean():.2f}")


if __name__ == "__main__":
    main()
