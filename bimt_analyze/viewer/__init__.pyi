from ._cuts import Cut as Cut
from ._network_view import NetworkView as NetworkView
from ._network_view import network_view as network_view
