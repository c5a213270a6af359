from ._module_formulas import module_formulas as module_formulas
from ._sent_quantity import Composition as Composition
from ._sent_quantity import ModuleFormulas as ModuleFormulas
from ._sent_quantity import SentQuantity as SentQuantity
