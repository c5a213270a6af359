"""What Infomap finds on the audited graph, compared with the audited modules."""

from dataclasses import dataclass
from typing import Any

from bimt_train.showing import Shown

from ...modules import Partition


@dataclass(frozen=True, repr=False)
class InfomapCheck(Shown):
    """What Infomap finds on the audited graph.

    Attributes
    ----------
    partition : Partition
        The modules that Infomap finds.
    ami : float
        Adjusted mutual information with the audited modules.

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._infomap_check import InfomapCheck
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> InfomapCheck(planted.partition, ami=1.0).to_json()["modules"]
    2
    """

    partition: Partition
    ami: float

    def to_json(self) -> dict[str, Any]:
        """Method, number of modules and agreement as plain values."""
        return {"method": self.partition.method, "modules": len(self.partition.modules), "ami": self.ami}
