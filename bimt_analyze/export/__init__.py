"""Circuits as files that run where nothing of this project is installed: C, ONNX, torch.export, safetensors."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
