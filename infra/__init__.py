"""The CDK application: what the bridge consists of on AWS."""

import os

from infra.node import bundled_node

# A machine's own Node is often too old for the CDK, and the CDK's kernel takes the first on the PATH.
if node := bundled_node():
    os.environ.setdefault("JSII_NODE", str(node))
