"""The numerical certificate that a layout describes a module: neurons change places, and nothing else changes."""
