from ._formula_layer import read_back as read_back
from ._lookup_table import LookupTable as LookupTable
from ._replace import replace as replace
from ._replacement import Replacement as Replacement
from ._submodule_formulas import submodule_formulas as submodule_formulas
