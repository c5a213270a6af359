"""What the modules compute."""
