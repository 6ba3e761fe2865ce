"""Move the COPY of the sources down past everything that does not need them."""
