from ._lightning import LightningPenalty as LightningPenalty
from ._penalty import Penalty as Penalty
from ._trainer import TrainerPenalty as TrainerPenalty
