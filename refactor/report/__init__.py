"""How results are shown: text, JSON, GitHub annotations."""
