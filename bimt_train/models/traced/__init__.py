"""Any module as a list of ATen operators: it can be stored as text, and run where its class is unknown."""

from ._end import WithoutEnd as WithoutEnd
from ._end import without_end as without_end
from ._trace_module import Traced as Traced
from ._trace_module import trace_module as trace_module
from ._traced_module import TracedModule as TracedModule
from ._traced_options import TracedOptions as TracedOptions
