"""How fast, how much, and what it is that ends it: measurements on this machine, and arithmetic beyond it."""
