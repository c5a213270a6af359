"""The compiled engine; all else that the build needs to know is in pyproject.toml."""

from setuptools import Extension, setup

NATIVE = "bimt_train/training/engines/native"

setup(
    ext_modules=[
        Extension(
            "bimt_train.training.engines._compiled",
            [f"{NATIVE}/{name}.c" for name in ("_compiled", "kernel_avx2", "kernel_avx512", "kernel_plain")],
            depends=[f"{NATIVE}/{name}.h" for name in ("engine", "kernel")],
            extra_compile_args=["-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"],
            libraries=["m"],
            py_limited_api=True,  # one wheel for all Pythons from 3.11 on
            optional=True,  # without a compiler, torch takes the steps
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
