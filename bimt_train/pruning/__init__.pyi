from ._prune import Circuit as Circuit
from ._prune import Search as Search
from ._prune import SweepPoint as SweepPoint
from ._prune import prune as prune
