"""Laws of motion: which differential equations stand behind measured trajectories, and where do they lead?

`find_motion` takes trajectories (`Trajectory`) and returns a `Motion`: one `Equation` for each variable, a word for
them (`MOTION_WORDS`), and how well they predict held-out starts.
"""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
