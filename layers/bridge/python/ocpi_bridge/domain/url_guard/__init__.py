"""The URL guard: which URLs of others may be called, and where a connection to them may end.

A URL that a partner gives us is an attacker's choice of what we connect to, with a token in our hand. It is judged
twice, because what a name means may change in between:

* urls        at intake, before anything is written: its spelling, its host and port against the partner's own list. The
              same check is made again before every call, so that a host that was struck off the list is not called
* addresses   when dialling: every address that the name has at that moment must be public, and one of those is dialled

`adapters/bounded_http/network.py` is where the second judgement is made and pinned, `adapters/partner_http/guarded.py`
puts both around every call to a partner. Whatever is refused is counted for the operator, by partner and host
(`adapters/dynamodb/refused_hosts.py`). docs/url-guard.md says what is refused and why.
"""
