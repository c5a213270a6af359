"""Pictures of what neurons represent, and of what a network predicts."""
