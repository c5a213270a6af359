"""What is lost at the outputs without a module, and how much of the network's performance a circuit keeps."""
