"""The passes, one in each file."""
