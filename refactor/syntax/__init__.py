"""Text to tree and back: the lossless Dockerfile syntax."""
