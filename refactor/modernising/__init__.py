"""What has been superseded in a Dockerfile, a module for each kind of it."""
