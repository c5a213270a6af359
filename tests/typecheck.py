"""The type checker that the tests' import hook puts on every function."""

from typing import Any, Self

from beartype import BeartypeConf, FrozenDict, beartype

# The hook decorates methods one by one, where Self has no class to stand for. A whole number may stand for a float,
# as mypy has it too.
check = beartype(conf=BeartypeConf(hint_overrides=FrozenDict({Self: Any}), is_pep484_tower=True))
