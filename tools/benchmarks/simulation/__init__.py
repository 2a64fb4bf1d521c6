"""Past one machine, on paper: what binds first as sessions grow, and how the queues behave when a partner is away.

`python -m tools.benchmarks.simulation` prints the tables of docs/scale-and-cost.md. What can be reckoned is reckoned
(`bounds`); only where queues act on each other they are simulated (`pushes`, `results`): without chance, so that the same
assumptions always give the same table. Nothing here is measured on AWS; the service times are stated in `assumptions`.
"""
