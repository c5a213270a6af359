"""The test of chance that decides whether a network is called modular."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Num

from bimt_train.checkpoints import Network

from .._network_size import STRONGEST
from ..graph import NeuronGraph
from ..options._analysis_options import AnalysisOptions
from .chance._backbone_significance import BACKBONE, backbone_significance
from .chance._significance import Significance, significance

HEADLINE = ("specialisation", "degree_preserving")
"""Statistic and null model of the test that decides, unless the graph is a backbone."""

Tests = Mapping[tuple[str, str], Significance]


def deciding_test(
    network: Network, graph: NeuronGraph, x: Num[np.ndarray, "rows ..."], options: AnalysisOptions
) -> Significance:
    """Make the test that decides: of specialisation, or of modularity where the graph is a backbone.

    Parameters
    ----------
    network : Network
        The circuit's network.
    graph : NeuronGraph
        Its graph.
    x : array [rows, ...]
        Rows of the probe as the network sees them.
    options : AnalysisOptions
        Number of null networks, and seed.

    Returns
    -------
    Significance
        The test.
    """
    chosen: dict[str, Any] = {"samples": options.samples, "seed": options.seed}
    if graph.is_backbone:
        return backbone_significance(network, weights=graph.weights, x=x, strongest=STRONGEST, **chosen)
    return significance(graph, statistic=HEADLINE[0], null_model=HEADLINE[1], **chosen)


def deciding(tests: Tests) -> Significance:
    """The test that decides, of those that were made.

    Parameters
    ----------
    tests : mapping of (str, str) to Significance
        (statistic, null model) -> test, as the measure ``nulls`` returns them.

    Returns
    -------
    Significance
        One of them.
    """
    return tests[HEADLINE] if HEADLINE in tests else tests[BACKBONE]
