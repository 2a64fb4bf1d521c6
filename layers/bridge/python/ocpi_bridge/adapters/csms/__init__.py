"""The CSMS's side: calling it (driver), reading its answers, and the signatures of what it sends to us.

* presets    how each kind of CSMS is called and understood, as data
* answers    what an HTTP answer or a callback body means (no network, no httpx)
* driver     the charge point driver over HTTP
* connect    builds the driver with a real network
* signing    one-time callback URLs and event signatures (standard library only: doors import it)
"""
