from ._loss import LOSSES as LOSSES
from ._loss import Loss as Loss
