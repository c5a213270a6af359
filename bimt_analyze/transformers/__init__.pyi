from ._alive import Alive as Alive
from ._alive import alive as alive
from ._continuation import continuation as continuation
from ._stream_map import StreamMap as StreamMap
from ._stream_map import stream_map as stream_map
from ._subspace_graph import subspace_graph as subspace_graph
from ._virtual_graph import virtual_graph as virtual_graph
