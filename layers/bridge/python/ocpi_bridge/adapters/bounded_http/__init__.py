"""HTTP calls with bounds: one total time, a body cap, vetted addresses, no redirects, no proxies, no cookies.

* exchange    the shapes of a call and of what came back, and the Protocol between callers and the network (no httpx)
* network     resolving, vetting and dialling; streams that end with the call's deadline
* transport   an httpx transport on top of that, with public interfaces only
* client      the Protocol's implementation: one call in, a reply or a reason out
"""
