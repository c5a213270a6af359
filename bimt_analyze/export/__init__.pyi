from ._compact import compact as compact
from ._compact_network import CompactNetwork as CompactNetwork
from ._export import Export as Export
from ._export import export_circuit as export_circuit
from ._in_threads import in_threads as in_threads
