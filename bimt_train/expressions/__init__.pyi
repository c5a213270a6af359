from ._decomposition import Decomposition as Decomposition
