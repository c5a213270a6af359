from ._lightning import LightningPenalty as LightningPenalty
from ._trainer import TrainerPenalty as TrainerPenalty
