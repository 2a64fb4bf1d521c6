"""The composition root: one module a function, so that a function loads only what it uses."""
