from ._find_grouped_law import find_grouped_law as find_grouped_law
from ._grouped_law import GroupedLaw as GroupedLaw
