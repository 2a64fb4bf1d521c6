"""EventBridge: the bus on which CSMSs are told."""
