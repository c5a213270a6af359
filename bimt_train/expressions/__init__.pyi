from ._decomposition import KnownParts as KnownParts
from ._expression import Expression as Expression
from ._expression import parse_expression as parse_expression
