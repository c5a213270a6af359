from ._decomposition import Decomposition as Decomposition
from ._expression import Expression as Expression
from ._expression import parse_expression as parse_expression
