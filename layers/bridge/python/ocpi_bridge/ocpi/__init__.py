"""OCPI 2.2.1 on the wire: transport, and the modules that the bridge serves or calls."""
