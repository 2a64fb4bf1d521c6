"""The main job on one machine: the deployed stack, a partner, a CSMS and a charge point that none of us wrote."""
