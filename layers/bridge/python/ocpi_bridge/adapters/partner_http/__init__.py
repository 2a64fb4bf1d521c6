"""The partner's side: the guarded client that calls a partner's interfaces, and no host that is not the partner's.

* receipts        what an answer means for a delivery (no network, no httpx)
* authorization   the Authorization header
* oauth2          access tokens of the partner's authorization server
* authenticator   which of them a partner wants, and the secrets for it
* platform        the configuration modules: versions, version details, credentials
* client          one call: host check, authentication, headers, answer
* guarded         builds both with the guarded network: public addresses only
"""
