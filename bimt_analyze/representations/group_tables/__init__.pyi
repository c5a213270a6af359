from ._finite_group import FiniteGroup as FiniteGroup
from ._operation_table import OperationTable as OperationTable
from ._operation_table import operation_table as operation_table
from ._real_characters import RealCharacter as RealCharacter
from ._real_characters import real_characters as real_characters
from ._target_group import TargetGroup as TargetGroup
from ._target_group import target_group as target_group
