"""Owner and mode of copied files: what a later chown or chmod says, said by COPY."""
