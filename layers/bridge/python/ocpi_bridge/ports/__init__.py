"""The ports: what use cases need from the world, as Protocols. Adapters implement them; fakes pass the same tests.

They are imported from their own modules, so that a function loads those that it needs.
"""
