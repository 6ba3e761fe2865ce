"""dockerfix: refactor Dockerfiles and show the diff."""
