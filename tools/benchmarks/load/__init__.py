"""How much the deployed stack bears on this machine, what it is that bears no more, and that nothing is lost meanwhile.

`python -m tools.benchmarks.load`, which is `make load`; docs/scale-and-cost.md says what it shows and what it cannot show.
"""
