"""The page of a view: its numbers, its words, its style and its script in one text."""

import json
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from ..plots._module_colours import MODULE_COLOURS, module_colour
from ._packed import pack
from ._positions import is_planar, layers_of, module_places, neuron_places

if TYPE_CHECKING:
    from ..graph import NeuronGraph
    from ._shown_network import ShownNetwork

HERE = "bimt_analyze.viewer.page"
SCRIPTS = ("net.js", "colours.js", "scene.js", "outline.js", "threshold.js", "selection.js", "film.js", "pointer.js",
           "view.js")  # fmt: skip
MOST_OPEN = 5000  # neurons of an end that stand open from the beginning


def render_page(view: "ShownNetwork") -> str:
    """One page that holds everything.

    Parameters
    ----------
    view : ShownNetwork
        What is shown.

    Returns
    -------
    str
        HTML with its style, its script and its numbers inside.
    """
    import jinja2
    from markupsafe import Markup

    arrays, about = _content(view)
    numbers, where = pack(arrays)
    told = json.dumps(about | {"arrays": where}, ensure_ascii=False, separators=(",", ":"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    first = view.graph.nodes[0].label if view.graph.nodes else ""
    return environment.from_string(_file("view.html")).render(
        title=view.title,
        counts=about["counts"],
        example=f"for instance {first}",
        weights="weight" if view.graph.weights == "magnitude" else view.graph.weights,
        effects=bool(view.effects),
        film=len(view.film),
        style=Markup(_file("view.css")),
        about=Markup(told.replace("<", "\\u003c")),
        numbers=numbers,
        raster=Markup(_file("raster.js")),
        script=Markup('"use strict";\n' + "".join(map(_file, SCRIPTS))),
    )


def _file(name: str) -> str:
    return files(HERE).joinpath(name).read_text(encoding="utf-8")


def _content(view: "ShownNetwork") -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The numbers of the page, and what it says of them."""
    graph, nodes = view.graph, view.graph.nodes
    groups = {name: number for number, name in enumerate(graph.groups)}
    group = np.array([groups[node.group] for node in nodes], dtype=np.int32)
    ends = set(f"{graph.inputs} {graph.outputs}".split()) if graph.has_ends else set[str]()
    ends = {name for name in ends if len(graph.members(name)) <= MOST_OPEN}
    end = np.array([node.group in ends for node in nodes], dtype=np.uint16)
    module, modules = _modules(view, group)
    for number, one in enumerate(modules):
        one["size"] = int((module == number).sum())
        one["hidden"] = bool(((module == number) & (end == 0)).any())
    places = neuron_places(graph)
    layers = {name: number for number, own in enumerate(layers_of(graph)) for name in own}
    level = np.array([layers[node.group] for node in nodes], dtype=np.int32)
    small = np.uint16 if len(nodes) < 2**16 else np.uint32
    arrays: dict[str, np.ndarray] = _strongest_first(graph, small) | {
        "x": places[:, 0], "y": places[:, 1], "z": places[:, 2],
        "group": group, "module": module, "level": level, "end": end,
        "centres": module_places(places, module, (end == 0).tolist(), len(modules)).ravel(),
        "leftmost": np.array([own[places[own, 0].argmin()] for own in map(graph.members, groups)], dtype=np.int32),
        "spacing": np.array([_spacing(places, group)], dtype=np.float32),
    }  # fmt: skip
    if view.effects:
        arrays["effect"] = np.array([view.effects.get(node.key, -1.0) for node in nodes], dtype=np.float32)
    if view.film:
        arrays |= _film_arrays(view, small)
    left_out = f", {graph.left_out:,} weaker ones left out" if graph.left_out else ""
    edges = f"{_many(len(graph.edges.weight), 'edge')}{left_out}"
    counts = f"{_many(len(nodes), 'neuron')}, {edges}, {_many(len(modules), 'module')}"
    about = {
        "labels": [node.label for node in nodes],
        "groups": list(groups),
        "modules": modules,
        "palette": MODULE_COLOURS,
        "planar": is_planar(graph),
        "counts": counts,
        "words": f"{view.title}: {counts}. The outline has the same content as text.",
        "loss": view.loss,
        "cuts": [{"edges": cut.edges, "loss": cut.loss} for cut in view.cuts],
        "film": _film_frames(view),
    }
    return arrays, about


def _film_arrays(view: "ShownNetwork", small: type) -> dict[str, np.ndarray]:
    """The edges of each frame, strongest first, and the places of its neurons, frame after frame."""
    edges = [_strongest_first(frame.graph, small) for frame in view.film]
    each = [neuron_places(replace(frame.graph, edges=view.graph.edges)) for frame in view.film]
    places = np.concatenate(each)
    return {f"film_{name}": np.concatenate([one[name] for one in edges]) for name in edges[0]} | {
        f"film_{axis}": places[:, number] for number, axis in enumerate("xyz")
    }


def _film_frames(view: "ShownNetwork") -> list[dict[str, int]]:
    """Of each frame its step, and where its edges begin."""
    firsts = np.cumsum([0, *(len(frame.graph.edges.weight) for frame in view.film)]).tolist()
    return [{"step": frame.step, "first": first} for frame, first in zip(view.film, firsts, strict=False)]


def _strongest_first(graph: "NeuronGraph", small: type) -> dict[str, np.ndarray]:
    """The ends of each edge, and its weight with its sign."""
    order = np.argsort(-graph.edges.weight, kind="stable")
    sign = np.where(graph.edges.sign < 0, -1.0, 1.0)
    return {
        "source": graph.edges.source[order].astype(small),
        "target": graph.edges.target[order].astype(small),
        "weight": (graph.edges.weight * sign)[order].astype(np.float32),
    }


def _modules(view: "ShownNetwork", group: np.ndarray) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The module of each neuron, and what is said of each; where no modules are known, layers stand for them."""
    if not view.modules:
        names = view.graph.groups
        return group, [{"name": name, "note": "", "colour": module_colour(k)} for k, name in enumerate(names)]
    module = np.full(len(view.graph.nodes), -1, dtype=np.int32)
    for number, members in enumerate(view.modules):
        for key in members:
            if (place := view.graph.numbers.get(key)) is not None and module[place] < 0:
                module[place] = number
    notes = (*view.notes, *[""] * len(view.modules))
    said: list[dict[str, Any]] = [
        {"name": f"module {number + 1}", "note": notes[number], "colour": module_colour(number)}
        for number in range(len(view.modules))
    ]
    if (module < 0).any():
        said.append({"name": "no module", "note": "", "colour": ""})
        module[module < 0] = len(said) - 1
    return module, said


def _spacing(places: np.ndarray, group: np.ndarray) -> float:
    """The distance between neighbours in the fullest layer, in widths of a layer."""
    sizes = np.bincount(group, minlength=1)
    planar = [bool(np.ptp(places[group == number, 1]) > 0) for number in range(len(sizes)) if sizes[number]]
    each = [size ** (0.5 if flat else 1.0) for size, flat in zip(sizes[sizes > 0], planar, strict=True)]
    return 1.0 / float(max([1.0, *each]))


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
