"""How the rest of the repository builds and runs the image."""
