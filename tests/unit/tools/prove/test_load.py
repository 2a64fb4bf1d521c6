"""The partner's requests: as many as asked for, and one that gets no answer ends no run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import cast

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import Journal
from tools.partner_simulator import BridgeClient, BridgeUnreachableError, Exchange
from tools.prove.load import Load
from tools.prove.partner_faults import PartnerFaults


@dataclass
class Bridge:
    """Answers all requests but the `silent`-th; `asked` has what each named as its response URL."""

    silent: int
    asked: list[str] = field(default_factory=list)
    keys: Iterator[int] = field(default_factory=lambda: count(1))

    def new_response_url(self) -> str:
        return f"http://localhost/response?request_id={next(self.keys)}"

    def put_profile(self, session_id: str, _profile: object, *, response_url: str) -> Exchange:
        return self._exchange("PUT", session_id, response_url)

    def get_active_profile(self, session_id: str, _duration: int, *, response_url: str) -> Exchange:
        return self._exchange("GET", session_id, response_url)

    def delete_profile(self, session_id: str, *, response_url: str) -> Exchange:
        return self._exchange("DELETE", session_id, response_url)

    def _exchange(self, method: str, session_id: str, response_url: str) -> Exchange:
        self.asked.append(response_url)
        if len(self.asked) == self.silent:
            raise BridgeUnreachableError("no answer in time")
        return Exchange(
            "PUT" if method == "PUT" else "GET", session_id, "", "", response_url, None, utc_now(), Journal()
        )


def load(bridge: Bridge) -> Load:
    return Load(cast("BridgeClient", bridge), PartnerFaults(every=None), ["s1", "s2"], None, Random(1), at_once=1)


def test_a_request_without_an_answer_is_left_out_and_the_others_are_sent() -> None:
    bridge = Bridge(silent=3)

    exchanges = load(bridge).send(10, lambda _: None)

    assert len(bridge.asked) == 10
    assert [one.response_url for one in exchanges] == [url for url in bridge.asked if url != bridge.asked[2]]


def test_without_an_address_that_is_not_the_partners_every_request_names_one_of_its_own() -> None:
    bridge = Bridge(silent=0)

    load(bridge).send(60, lambda _: None)

    assert all(url.startswith("http://localhost/response") for url in bridge.asked)
