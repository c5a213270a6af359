"""What all measurements share: how a result is written down, and many worked on side by side."""
