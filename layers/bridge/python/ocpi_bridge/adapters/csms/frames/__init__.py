"""Raw OCPP frames as CitrineOS posts them, turned into canonical events.

* posts        one post, a frame or a list of them: who sent which call or answer, and when
* plain_fields ids and times
* fields       the fields of payloads, read as charge points write them
* meter        MeterValues of both versions as readings
* v16, v201    what a station's calls say, version by version; pure
* limits       charging limits and profiles that are not the bridge's; pure
* translator   the way from posts to events, with what it takes to remember in between

A station's frames say what happened in the station's own words, so nothing here waits for another source: only the
start of a transaction in OCPP 1.6 needs two frames, since its id stands in the answer.
"""
