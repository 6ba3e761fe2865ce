"""What a Dockerfile does as a drawing, and what a refactoring gains by it, without a build."""
