"""One module per thing that happens. Use cases get their ports as arguments and raise domain errors."""
