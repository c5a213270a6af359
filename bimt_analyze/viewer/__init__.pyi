from ._cuts import Cut as Cut
from ._film import Frame as Frame
from ._film import film_of as film_of
from ._network_view import NetworkView as NetworkView
from ._network_view import network_view as network_view
