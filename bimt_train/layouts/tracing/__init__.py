"""The layout of any module, derived by running its operators on labels of neurons."""

from ._axis_cuts import AxisCuts as AxisCuts
from ._axis_cuts import cuts_of as cuts_of
from ._program import Program as Program
from ._program import exported_program as exported_program
from ._program import program_of as program_of
from ._recorder import last_line as last_line
from ._row import with_ends as with_ends
from ._rules import rule_for as rule_for
from ._run import VIEWS as VIEWS
from ._trace import trace as trace
