"""What is handed over: equations, what they conserve, and the word for them."""
