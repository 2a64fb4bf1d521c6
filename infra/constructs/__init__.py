"""The parts that the bridge's stack is composed of, one concern each."""
