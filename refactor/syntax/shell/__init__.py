"""Shell scripts as commands joined by operators, with source spans.

Offsets count characters of the script's text. A script that cannot be read with certainty is
opaque: it says why, and no pass touches it.
"""
