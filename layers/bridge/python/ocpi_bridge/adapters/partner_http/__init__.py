"""The partner's side: the guarded client that calls a partner's interfaces, and no host that is not the partner's.

* receipts   what an answer means for a delivery (no network, no httpx)
* client     one attempt: host check, token, headers, answer
* guarded    builds the client with the guarded network: public addresses only
"""
