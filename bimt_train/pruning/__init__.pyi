from ._circuit import Circuit as Circuit
from ._circuit import Search as Search
from ._circuit import SweepPoint as SweepPoint
from ._prune import prune as prune
