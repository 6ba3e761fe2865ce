"""What of a build context nothing needs, what must stay in it, and how much it is."""
