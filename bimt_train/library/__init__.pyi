from ._stored_module import StoredModule as StoredModule
from ._stored_module import load_module as load_module
