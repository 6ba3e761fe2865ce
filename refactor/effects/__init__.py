"""What each instruction, and each command of a RUN, reads, writes and is for.

Passes are written against this, never against raw command text (DESIGN, section 2).
"""

from dockerfix.effects.instructions import Effects, read_effects
from dockerfix.effects.model import Call, Kind, Step
from dockerfix.effects.reach import EVERYTHING, NOTHING, Reach

__all__ = ["EVERYTHING", "NOTHING", "Call", "Effects", "Kind", "Reach", "Step", "read_effects"]
