"""One file a kind of model: its network as layers, dead inputs gone."""
