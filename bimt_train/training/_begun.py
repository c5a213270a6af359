"""What networks begin with, beside what is drawn."""

from dataclasses import dataclass

from .._errors import InputError
from ..checkpoints import Checkpoint
from ..library import StoredModule
from .recipes._recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What the networks begin with, beside what is drawn: modules of other networks, or a trained network.

    Attributes
    ----------
    modules : tuple of StoredModule
        Modules that stand in the hidden layers.
    frozen : bool
        Whether they stay as they are.
    start : Checkpoint or None
        The network to go on from.
    keep : bool
        Whether its living neurons stay as they are.
    """

    modules: tuple[StoredModule, ...] = ()
    frozen: bool = True
    start: Checkpoint | None = None
    keep: bool = False

    def check(self, recipe: Recipe) -> None:
        """Refuse what does not go together.

        Parameters
        ----------
        recipe : Recipe
            How the networks are trained.

        Raises
        ------
        InputError
            For a network that is kept and not given, and for two beginnings at once.
        """
        if self.keep and self.start is None:
            raise InputError("nothing to keep", where="keep", hint="give the network to start from")
        given = {
            "modules": bool(self.modules),
            "a trained network": self.start is not None,
            "rules": recipe.reuse is not None,
        }
        several = " and ".join(name for name, is_given in given.items() if is_given)
        if sum(given.values()) > 1:
            raise InputError("training begins with one of these", got=several, hint="leave all but one out")
