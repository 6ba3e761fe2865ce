"""Neighbouring RUN instructions as one: which belong together, and what becomes of them."""
