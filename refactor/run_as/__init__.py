"""Whether a service can do without root, who it runs as, and what has to be its own."""
