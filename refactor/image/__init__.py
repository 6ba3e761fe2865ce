"""What a Dockerfile says of the image it makes: where files come to lie, what a container runs."""
