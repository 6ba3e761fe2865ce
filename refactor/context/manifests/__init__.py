"""Manifests of the ecosystems as typed facts. Nothing of a project is ever run to read them."""
