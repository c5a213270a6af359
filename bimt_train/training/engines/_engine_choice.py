"""The engines by name; this file does without torch, which the command line does not wait for."""

from typing import Literal

EngineChoice = Literal["auto", "compiled", "torch"]
