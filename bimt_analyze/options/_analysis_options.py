"""Every option of an analysis as one value, shared by Python, the command line, jobs and provenance."""

from dataclasses import dataclass

from bimt_train import InputError

from ._option_values import OptionValues, option


@dataclass(frozen=True, kw_only=True, repr=False)
class AnalysisOptions(OptionValues):
    """All that an analysis depends on besides the network and its rows.

    Attributes
    ----------
    seed : int
        Seed of everything random in the analysis.
    tolerance : float
        Fraction of its loss that a circuit may lose to pruning.
    refit_steps : int
        Steps of Adam on the weights that pruning leaves; 0 keeps the weights as they are.
    edge_weight : str or None
        Name of the edge weight of the graph (`bimt_analyze.graph.EDGE_WEIGHTS`). None takes attribution, or activation
        where the inputs are tokens.
    resolutions : tuple of float
        Resolutions at which Leiden searches for modules.
    leaks : tuple of float
        Shares of its input that a neuron may read from outside its module.
    leiden_runs : int
        Runs of Leiden at each resolution, from whose agreement stability is computed.
    samples : int
        Null networks of every test of significance; 0 tests nothing.
    time_limit : float
        Seconds of a reference core for the search of all formulas together, counted as work (see `SearchOptions`); 0
        searches none.
    genetic : bool
        Genetic programming by pyoperon, in the last third of the time limit, for outputs without a formula.
    audit : bool
        Whether the modules are audited too.
    retrain_steps : int
        Steps of the audit's null networks that are trained; 0 trains none.
    controls : int
        Networks of each kind that the audit's circuit is held against (`bimt_analyze.audits.circuit_controls`); 0 for
        none.
    null_models : tuple of str
        Null models of the audit (`bimt_analyze.audits.NULL_MODELS`).
    statistics : tuple of str
        Statistics that each null model is compared by (`bimt_analyze.audits.STATISTICS`).
    measures : tuple of str
        Measures of the audit besides those that are built in or installed, as ``file.py:NAME``.
    minutes : float
        How long the analysis may take: measures of the audit that would end later are left out, with a word, those that
        take longest first. 0 for as long as it takes. Which are left out depends on the machine.
    memory : float
        GiB that the analysis may take: a network whose whole graph needs more is audited by its backbone. 0 for the
        usual limit of ten million weights.
    processes : int or None
        Processes that train null networks at once; one a core where None.

    Raises
    ------
    InputError
        A number out of its range.

    Examples
    --------
    >>> options = AnalysisOptions(samples=50, audit=True)
    >>> AnalysisOptions.from_json(options.to_json()) == options
    True
    >>> options.with_changes(seed=3).seed
    3
    """

    seed: int = option(0, "Seed of everything random in the analysis.", flag="--seed", least=0)
    tolerance: int | float = option(
        0.05, "Fraction of its loss that a circuit may lose to pruning.", flag="--tolerance", least=0
    )
    refit_steps: int = option(
        60, "Steps of refitting a circuit; 0 keeps the weights as they are.", flag="--refit", least=0
    )
    edge_weight: str | None = option(
        None,
        "Edge weight of the graph: NAMES, or file.py:NAME; attribution, or activation for tokens, if left out.",
        flag="--edge-weight",
    )
    resolutions: tuple[float, ...] = (0.25, 0.35, 0.5, 0.71, 1.0, 1.41, 2.0, 2.83, 4.0)
    leaks: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)
    leiden_runs: int = 10
    samples: int = option(200, "Null networks of every test of significance.", flag="--samples", least=0)
    time_limit: int | float = option(
        10.0,
        "Seconds of a reference core for the search of all formulas, counted as work, so that it ends at the same "
        "candidate on a slow or busy machine; 0: none.",
        flag="--time-limit",
        least=0,
    )
    genetic: bool = option(
        False, "Genetic programming by pyoperon for outputs without a formula by then.", flag="--genetic"
    )
    audit: bool = option(
        False,
        "Audit the modules: null networks, retrained networks, ablation, locality.",
        flag="--audit",
        group="Audit",
    )
    retrain_steps: int = option(
        1000, "Steps of the audit's null networks that are trained; 0: none.", flag="--retrain", group="Audit", least=0
    )
    controls: int = option(
        20,
        "Control networks of each kind that the audit holds its circuit against; 0: none.",
        flag="--controls",
        group="Audit",
        least=0,
    )
    null_models: tuple[str, ...] = option(
        ("degree_preserving", "weight_permutation"),
        "A further null model of the audit: NAMES, or file.py:NAME.",
        flag="--null-model",
        group="Audit",
    )
    statistics: tuple[str, ...] = option(
        ("specialisation", "modularity"),
        "A further statistic of the null models: NAMES, or file.py:NAME.",
        flag="--statistic",
        group="Audit",
    )
    measures: tuple[str, ...] = option(
        (), "A further measure of the audit, as file.py:NAME.", flag="--measure", group="Audit"
    )
    minutes: int | float = option(
        0.0, "Minutes the analysis may take; measures of the audit that would end later are left out; 0: no limit.",
        flag="--minutes", group="Budget", least=0,
    )  # fmt: skip
    memory: int | float = option(
        0.0, "GiB the analysis may take; a network that needs more is audited by its backbone; 0: the usual limit.",
        flag="--memory", group="Budget", least=0, unit="G",
    )  # fmt: skip
    processes: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.leiden_runs < 2:
            raise InputError(
                "too few runs to compare", where="leiden_runs", expected="2 or more", got=str(self.leiden_runs)
            )
