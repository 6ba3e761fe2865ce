"""How programs of each kind are built in one stage and run in another."""
