"""Pictures of what neurons stand for."""
