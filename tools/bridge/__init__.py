"""The operator's command line: who the partners are, which CSMSs and stations there are, and who may steer what.

Every command is a thin shell around plain functions: `files` reads and checks an entry, `operations` and the registry
(`ocpi_bridge.adapters.dynamodb.registry`) carry it out, `deployment` finds the deployment that is meant.
"""
