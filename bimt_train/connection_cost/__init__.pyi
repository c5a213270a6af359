from ._connection_cost import ConnectionCost as ConnectionCost
from ._cost_terms import COST_TERMS as COST_TERMS
from ._relocate import relocate as relocate
