from ._circuit import Circuit as Circuit
from ._circuit import Search as Search
from ._prune import prune as prune
