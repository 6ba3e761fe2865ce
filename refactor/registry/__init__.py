"""What image names mean: parsing them, and asking registries (the OCI distribution API)."""
