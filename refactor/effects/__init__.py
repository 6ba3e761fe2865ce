"""What each instruction, and each command of a RUN, reads, writes and is for.

Passes are written against this, never against raw command text (DESIGN, section 2).
"""
