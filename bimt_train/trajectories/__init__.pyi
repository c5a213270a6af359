from ._smoothed import Smoothed as Smoothed
from ._smoothed import smoothed_each as smoothed_each
from ._states import with_speeds as with_speeds
from ._thinned import MOST_TIMES as MOST_TIMES
from ._thinned import thinned as thinned
from ._trajectory import Trajectory as Trajectory
from ._trajectory import check_speeds as check_speeds
from ._trajectory import check_trajectories as check_trajectories
