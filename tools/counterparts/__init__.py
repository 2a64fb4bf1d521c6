"""What the counterparts of the bridge share: a journal to wait on, OCPP-J frames, an HTTP service that can misbehave.

The counterparts (charge point, CSMS, partner) are the independent other side: nothing here imports `ocpi_bridge`.
"""
