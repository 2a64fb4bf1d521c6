"""The checks of a rehearsal, by what they look at, in the order in which they run."""
