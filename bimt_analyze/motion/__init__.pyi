from ._estimator import OdeRegressor as OdeRegressor
from ._find_motion import find_motion as find_motion
from .laws._motion import Motion as Motion
