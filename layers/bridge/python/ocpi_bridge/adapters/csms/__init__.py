"""The CSMS's side: calling it (driver), reading its answers, and the signatures of what it sends to us.

* presets          how each kind of CSMS is called and understood, as data
* calls            what goes out for a command (no network)
* answers          what an HTTP answer or a callback body means (no network)
* authentication   the headers that a CSMS asks for
* driver           the charge point driver over HTTP
* connect          the drivers of a deployment, with a real network and a real bus
* signing          one-time callback URLs and event signatures (standard library only: doors import it)
"""
