from ._connection_cost import ConnectionCost as ConnectionCost
from ._relocate import relocate as relocate
