from ._module_files import module_files as module_files
from ._share import share as share
from ._shared_network import SharedNetwork as SharedNetwork
