"""The interactive page of a million edges in Chromium without a GPU: file, first picture, frames while it is moved.

The layers of the network are dense; half of its modules are open. Mouse events come from outside the page, as a hand's
do; frames are those that the page is given to paint. WebGL draws as many plain lines in the same browser, where it can.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from benchmarks.common._measure import table, write_section
from bimt_analyze.graph import Edges, Neuron, NeuronGraph
from bimt_analyze.viewer import network_view

LAYERS, BLOCKS = (600, 700, 600, 250), 6  # 990,000 edges
IMAGE = (1024, 784, 256, 10)  # a million edges, layers on grids
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
SECONDS = 4.0
COUNT = """
window.frames_ = [];
const step = now => { frames_.push(now); requestAnimationFrame(step); };
requestAnimationFrame(step);
"""
WEBGL = """
const [edges, done] = arguments, canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [1280, 800];
const gl = canvas.getContext("webgl2");
if (!gl) return done(null);
const program = gl.createProgram(), add = (kind, text) => {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, `#version 300 es\n${text}`);
  gl.compileShader(shader);
  gl.attachShader(program, shader);
};
add(gl.VERTEX_SHADER, "in vec2 p; void main() { gl_Position = vec4(p, 0, 1); }");
add(gl.FRAGMENT_SHADER, "precision mediump float; out vec4 c; void main() { c = vec4(.1, .2, .5, .05); }");
gl.linkProgram(program); gl.useProgram(program);
const ends = new Float32Array(edges * 4);
for (let i = 0; i < edges; i++) ends.set([Math.random() * 2 - 1, -.9, Math.random() * 2 - 1, .9], 4 * i);
gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
gl.bufferData(gl.ARRAY_BUFFER, ends, gl.STATIC_DRAW);
gl.enableVertexAttribArray(0); gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
const began = performance.now(), pixel = new Uint8Array(4);
gl.drawArrays(gl.LINES, 0, 2 * edges);
gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
done(performance.now() - began);
"""


def dense_graph(layers: tuple[int, ...], *, grids: bool) -> tuple[NeuronGraph, list[set[tuple[str, int]]]]:
    """Dense layers whose weights are strong inside blocks, and the blocks."""
    rng = np.random.default_rng(0)
    first, nodes, blocks = 0, [], [set[tuple[str, int]]() for _ in range(BLOCKS)]
    columns: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for depth, size in enumerate(layers):
        side, name = int(size**0.5), f"layer{depth}"
        for i in range(size):
            on_grid = grids and side * side == size
            place = ((i % side + 0.5) / side, (i // side + 0.5) / side) if on_grid else ((i + 0.5) / size,)
            nodes.append(Neuron(name, i, f"{name}.{i}", place, depth))
            blocks[i * BLOCKS // size].add((name, i))
        if depth:
            before = layers[depth - 1]
            source, target = (ends.ravel() for ends in np.meshgrid(range(before), range(size), indexing="ij"))
            inside = source * BLOCKS // before == target * BLOCKS // size
            weight = rng.normal(size=len(source)) * rng.gamma(0.5, size=len(source)) * np.where(inside, 1.0, 0.08)
            columns.append((first + source, first + before + target, weight))
            first += before
    source, target, weight = (np.concatenate(column) for column in zip(*columns, strict=True))
    edges = Edges(source, target, np.abs(weight) + 1e-9, np.sign(weight).astype(np.int8))
    return NeuronGraph(tuple(nodes), edges, inputs="layer0", outputs=f"layer{len(layers) - 1}"), blocks


def browser(folder: Path, *flags: str) -> Any:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, *flags, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(executable_path=shutil.which("chromedriver")))
    driver.set_window_size(1280, 900)
    driver.set_script_timeout(100)
    return driver


def drawn(driver: Any, before: str | None = None) -> dict[str, str]:
    """What the page says of its picture, once an exact one stands that is not the one before."""
    while True:
        told = driver.execute_script("return {...document.getElementById('picture').dataset}")
        if told.get("still") not in (None, before):
            return dict(told)
        time.sleep(0.05)


def mouse(driver: Any, kind: str, x: float, y: float) -> None:
    about = {"type": kind, "x": x, "y": y, "button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", about)


def frames(driver: Any) -> tuple[float, float, float]:
    """Frames and fresh drawings a second while the mouse drags in circles, and the longest time between two frames."""
    drawings = int(drawn(driver)["pictures"])
    driver.execute_script(COUNT)
    mouse(driver, "mousePressed", 640, 450)
    began, step = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        step += 1
        mouse(driver, "mouseMoved", 640 + 150 * np.sin(step / 25), 450 + 100 * np.sin(step / 40))
    at = np.array(driver.execute_script("return frames_"))
    seconds = time.perf_counter() - began
    drawings = int(drawn(driver)["pictures"]) - drawings
    mouse(driver, "mouseReleased", 640, 450)
    return float(1000 * (len(at) - 1) / (at[-1] - at[0])), drawings / seconds, float(np.diff(at).max())


def measured(name: str, layers: tuple[int, ...], *, grids: bool, folder: Path) -> list[str]:
    graph, blocks = dense_graph(layers, grids=grids)
    path = network_view(graph, modules=blocks, title=name).save(folder / "view.html")
    driver = browser(folder / f"browser {name}")
    try:
        driver.get(path.as_uri())
        first = drawn(driver)
        half = "document.querySelectorAll('#outline > li').forEach((li, i) => i % 2 || li.dispatchEvent("
        half += "new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true})))"
        driver.execute_script(half)
        opened = drawn(driver, first["still"])
        rate, fresh, longest = frames(driver)
    finally:
        driver.quit()
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    edges = f"{len(graph.edges.weight):,}"
    first_picture, exact = (f"{int(value) / 1000:.2f} s" for value in (first["first"], opened["milliseconds"]))
    return [name, edges, size, first_picture, exact, f"{rate:.0f}", f"{fresh:.0f}", f"{longest:.0f} ms"]


def webgl(edges: int, folder: Path) -> str:
    """Milliseconds of one frame of plain lines, drawn by software."""
    driver = browser(folder, "--enable-unsafe-swiftshader")
    try:
        driver.get("about:blank")
        took = driver.execute_async_script(WEBGL, edges)
    finally:
        driver.quit()
    return "no WebGL" if took is None else f"{took / 1000:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the section, and leave RESULTS.md as it is")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            measured("layers on lines, moved", LAYERS, grids=False, folder=folder),
            measured("layers on grids, turned", IMAGE, grids=True, folder=folder),
        ]
        lines = 100_000
        plain = webgl(lines, folder / "webgl")
    head = ["network", "edges", "file (30 MB)", "first picture (2 s)", "exact picture of the opened half",
            "frames a second while dragged (20)",
            "of them drawn afresh", "longest frame"]  # fmt: skip
    said = [*table(head, rows), "", f"WebGL by software in the same browser: {plain} for one frame of {lines:,} lines."]
    print("\n".join(said)) if chosen.print else write_section("Interactive page of a million edges", said)


if __name__ == "__main__":
    main()
