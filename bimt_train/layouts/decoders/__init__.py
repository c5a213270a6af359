"""Layouts of language models that are known by the names of their tensors."""
