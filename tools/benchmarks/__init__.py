"""How fast, how much, and what it is that ends it: measurements on this machine, and arithmetic beyond it.

Start, speed and memory of the functions, beside a bare AWS client and beside a peer, in one run (`make bench`):

* samples          medians, and ratios of what was measured in the same round
* rounds           everything once a round, in turn
* verdict          rows, their limits, and whether each is met (pure)
* report           the rows for a terminal, as JSON and as Markdown
* lambda_place     what Lambda has: bundles, layers, packages, environment
* peer             extrawest-ocpi in an environment of its own
* world, scenes    what functions are given, and what must come of it
* neighbours       the servers of partner and CSMS
* programs         what is measured, each a program of its own
* running          starts a program and reads its line
* cold, warm       what is measured, and the rows of it

And beside it:

* load             the deployed stack in rising steps (`make load`)
* simulation       what lies past one machine
"""
