"""The layout of any module, derived by running its operators on labels of neurons."""

from ._trace import trace as trace
