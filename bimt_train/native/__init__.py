"""Code in C for what takes the time: steps with small networks, and the gradient of the connection cost.

``_compiled.c`` is what Python calls. ``steps.h`` and ``charge.h`` are compiled once for each set of instructions, by
``kernel_*.c``. Everything here has a reference in torch, which serves wherever the code was not built.
"""
