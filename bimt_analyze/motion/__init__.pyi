from ._find_motion import find_motion as find_motion
from ._ode_regressor import OdeRegressor as OdeRegressor
from .laws._motion import Motion as Motion
