"""Facts about package managers, base images and packages, kept as data files."""
