from ._absolute_sums import absolute_sums as absolute_sums
from ._blocks import block_network as block_network
from ._boolean import boolean_hierarchy as boolean_hierarchy
from ._negatives import dense_network as dense_network
from ._negatives import rewired_network as rewired_network
from ._specimen import Specimen as Specimen
from ._superposition import superposition as superposition
