"""What is lost without a module, and what a circuit keeps."""
