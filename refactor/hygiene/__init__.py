"""The rules of package-hygiene, a module for each thing that they look at."""
