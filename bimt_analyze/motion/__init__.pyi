from ._conserved import Conserved as Conserved
from ._equation import Equation as Equation
from ._find_motion import find_motion as find_motion
from ._motion import MOTION_WORDS as MOTION_WORDS
from ._motion import Motion as Motion
from ._read_trajectories import TrajectoryTable as TrajectoryTable
from ._read_trajectories import read_trajectories as read_trajectories
from ._trajectory import Trajectory as Trajectory
