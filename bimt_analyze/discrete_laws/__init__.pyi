from ._class_formulas import ClassFormulas as ClassFormulas
from ._class_formulas import class_formulas as class_formulas
from ._discrete_law import DiscreteLaw as DiscreteLaw
from ._find_discrete_law import find_discrete_law as find_discrete_law
from ._find_recurrence import find_recurrence as find_recurrence
