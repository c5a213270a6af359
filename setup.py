"""The compiled code; all else that the build needs to know is in pyproject.toml."""

from setuptools import Extension, setup

NATIVE = "bimt_train/native"

setup(
    ext_modules=[
        Extension(
            "bimt_train.native._compiled",
            [f"{NATIVE}/{name}.c" for name in ("_compiled", "kernel_avx2", "kernel_avx512", "kernel_plain")],
            depends=[f"{NATIVE}/{name}.h" for name in ("charge", "engine", "steps")],
            extra_compile_args=["-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"],
            libraries=["m"],
            py_limited_api=True,  # one wheel for all Pythons from 3.11 on
            optional=True,  # without a compiler, torch computes
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
