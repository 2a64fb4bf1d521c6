"""A model of the bridge's world: real use cases on stores in memory, with counterparts, queues and deaths that a test plans."""
