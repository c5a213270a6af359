ACTIVATIONS: tuple[str, ...]
LOSSES: tuple[str, ...]
KERNELS: tuple[str, ...]
VERSION: int

def advance(*arguments: object) -> None: ...
