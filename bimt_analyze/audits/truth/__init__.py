"""Whether the modules match the task's known decomposition."""
