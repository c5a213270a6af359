ACTIVATIONS: tuple[str, ...]
LOSSES: tuple[str, ...]
KERNELS: tuple[str, ...]
VERSION: int
MOST_LAYERS: int

def advance(*arguments: object) -> None: ...
def charge(*arguments: object) -> None: ...
