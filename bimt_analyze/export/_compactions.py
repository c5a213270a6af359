"""The registry of compactions: how a kind of model becomes layers."""

from bimt_train.registry import Entry, Registry

_KINDS = "bimt_analyze.export.kinds"

COMPACTIONS: Registry[Entry] = Registry(
    "compaction",
    Entry,
    builtin={
        "mlp": f"{_KINDS}._layer_chain",
        "image-mlp": f"{_KINDS}._layer_chain",
        "embedding-mlp": f"{_KINDS}._layer_chain",
        "gated-mlp": f"{_KINDS}._gated_layers",
        "rnn": f"{_KINDS}._state",
    },
    group="bimt.compactions",
)
"""By the name of a kind of model: a function that takes a network of this kind and returns its layers.

What has no entry is exported whole, as its own module, and the export says so."""
