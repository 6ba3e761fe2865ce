"""Build a file as it is and as refactored, and compare the two images."""
