"""What surrounds the Dockerfile: the build context and its manifests."""
