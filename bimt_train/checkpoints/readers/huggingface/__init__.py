"""Folders that Hugging Face's transformers saved: a config.json beside the weights. Nothing is asked of the network."""
