from ._find_motion import find_motion as find_motion
from .laws._conserved import Conserved as Conserved
from .laws._equation import Equation as Equation
from .laws._motion import MOTION_WORDS as MOTION_WORDS
from .laws._motion import Motion as Motion
