"""The proof that nothing is lost: thousands of requests on the deployed stack while everything around it fails.

`python -m tools.prove`, which is part of `make prove`; docs/proof.md says what is proved, how, and what is not.
"""
