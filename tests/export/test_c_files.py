"""C: compiled by the compiler of this machine, and compared with the network."""

import subprocess

import numpy as np
import pytest
from export_cases import CASES

from bimt_analyze.export import compact, export_circuit
from bimt_analyze.export._compact import separate
from bimt_analyze.export.c_code._activation_code import activation_in_c
from bimt_analyze.export.writers._c_compiled import compiled, compiler
from bimt_analyze.export.writers._c_file import c_source
from bimt_analyze.synthetic import block_network
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import ACTIVATIONS, MLP
from bimt_train.models.building_blocks.activations import activated

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C compiler on this machine")
STRICT = ("-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


def run(network, storage, *, flags=STRICT, name="circuit", modules=()):
    whole = compact(network)
    source = c_source(modules or (whole,), whole, name="circuit", storage=storage, said="a */ test")
    found = compiled(source.text, name, len(whole.outputs), flags=flags)
    assert found is not None
    return found, whole


@needs_compiler
@pytest.mark.parametrize("storage", ["sparse", "dense", "unrolled"])
@pytest.mark.parametrize("name", CASES)
def test_every_storage_gives_what_the_network_gives(name, storage):
    network, x = CASES[name]
    found, whole = run(network, storage)
    kept = np.ascontiguousarray(x[:, list(whole.reads)], dtype=np.float32)
    for rows in (70, 33, 5, 1, 0):  # two blocks and a rest, a block and one row, less than a block, a row, none
        np.testing.assert_allclose(found(kept[:rows]), network.predict(x[:rows]), rtol=0, atol=2e-6)


@needs_compiler
@pytest.mark.parametrize(
    "flags",
    [
        ("-DLANES=1",),
        ("-DLANES=4",),
        ("-DTHREADS", "-pthread"),
        ("-DTHREADS", "-pthread", "-DLANES=1", "-fsanitize=undefined"),
        ("-fsanitize=undefined",),
    ],
)
def test_modules_plain_and_in_threads_read_whole_rows_too(flags):
    network = block_network(blocks=[(2, 3, 1)] * 3, seed=0).network
    x = np.random.default_rng(0).normal(size=(600, 6))
    modules = separate(compact(network))
    for name in ("circuit", "circuit_all_columns"):
        found, whole = run(network, "sparse", flags=(*STRICT, *flags), name=name, modules=modules)
        for count in (600, 1, 0):
            rows = np.ascontiguousarray(x[:count], dtype=np.float32)
            np.testing.assert_allclose(found(rows), network.predict(x[:count]), rtol=0, atol=2e-6)
    assert len(modules) == 3 == len(whole.outputs)


@needs_compiler
def test_whole_rows_are_read_where_columns_are_dead():
    network, x = CASES["image mlp"]
    found, whole = run(network, "sparse", name="circuit_all_columns")
    assert len(whole.reads) < x.shape[1]
    np.testing.assert_allclose(found(x.astype(np.float32)), network.predict(x), rtol=0, atol=2e-6)


@needs_compiler
def test_every_activation_has_its_c():
    x = np.concatenate([np.linspace(-8, 8, 161), [-1e4, -60.0, 60.0, 1e4]])
    sources, calls = {}, []
    for name in ACTIVATIONS.names():
        function, helpers = activation_in_c(name)
        sources |= helpers
        calls.append(f"{function or 'keep'}(y + {len(calls)} * n, n);")
    text = "#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n" + "\n".join(sources.values())
    text += "static void keep(float *h, size_t n) { (void)h; (void)n; }\n"
    copy = f"for (size_t i = 0; i < {len(calls)} * n; i++) y[i] = x[i % n];"
    text += f"void every(const float *x, float *y, size_t n) {{ {copy} {' '.join(calls)} }}"
    found = compiled(text, "every", len(calls))
    assert found is not None
    given = found(x[:, None].astype(np.float32)).reshape(len(calls), len(x))
    for name, row in zip(ACTIVATIONS.names(), given, strict=True):
        expected = activated(name, x.astype(np.float32).astype(np.float64))
        np.testing.assert_allclose(row, expected, rtol=2e-6, atol=3e-7, err_msg=name)


@needs_compiler
def test_a_file_on_its_own_becomes_a_program(tmp_path):
    network, x = CASES["mlp"]
    export_circuit(network, tmp_path / "net.c", x=x, measure=False)
    rows = ", ".join(str(value) + "f" for value in x[:3].astype(np.float32).ravel())
    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\n#include <stddef.h>\nvoid circuit_net_all_columns(const float *, float *, size_t);\n"
        f"int main(void) {{ const float x[] = {{{rows}}}; float y[9]; circuit_net_all_columns(x, y, 3);\n"
        'for (int i = 0; i < 9; i++) printf("%.9g ", y[i]); return 0; }'
    )
    program = tmp_path / "program"
    files = [str(tmp_path / name) for name in ("main.c", "net.c")]
    subprocess.run([compiler(), "-std=c99", "-o", str(program), *files, "-lm"], check=True)
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    np.testing.assert_allclose([float(word) for word in said.split()], network.predict(x[:3]).ravel(), atol=2e-6)
    assert "x2 (column 1)" in (tmp_path / "net.c").read_text()


def test_without_a_compiler_the_file_is_written_unchecked(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    network, x = CASES["mlp"]
    found = export_circuit(network, tmp_path / "net.c", x=x)
    assert found.checked_by == "" and found.variant == "sparse" and not found.measurement.timings
    assert "not run here" in found.lines() and (tmp_path / "net.c").exists()


@needs_compiler
def test_c_that_is_wrong_is_not_written(tmp_path, monkeypatch):
    from bimt_analyze.export.c_code import _products

    def doubled(code, weight, bias, source, target):
        _products.dense(code, weight * 2, bias, source, target)

    monkeypatch.setattr("bimt_analyze.export.c_code._module_code.STORAGES", {"sparse": doubled})
    network, x = CASES["mlp"]
    with pytest.raises(InputError, match="does not give what the network gives"):
        export_circuit(network, tmp_path / "net.c", x=x, measure=False)
    assert not (tmp_path / "net.c").exists()


def test_an_activation_without_c_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"an activation without C.*\.pt2"):
        activation_in_c("somebody's own")


def test_weights_that_are_far_apart_take_wider_steps():
    weight = np.zeros((2, 700))
    weight[0, [0, 699]], weight[1, 650] = (1.0, 2.0), 3.0
    network = Network.of(MLP([700, 2])).with_tensors({"layers.0.weight": weight})
    whole = compact(network)
    assert whole.reads == (0, 650, 699)
    dense_columns = network.with_tensors({"layers.0.weight": weight + 1e-3 * (np.arange(2)[:, None] == 1)})
    found = c_source((compact(dense_columns),), compact(dense_columns), name="circuit", storage="sparse", said="")
    assert "sparse_uint16_t_uint16_t_row(" in found.text
