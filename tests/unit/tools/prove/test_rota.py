"""What goes wrong goes wrong in a seeded order, evenly, and not too often."""

from itertools import pairwise
from random import Random

import pytest

from tools.prove.rota import Rota, Tally

KINDS = ("down", "slow", "wrong")


def dealt(seed: int, *, every: int = 4, apart: int = 1, count: int = 1200) -> list[str | None]:
    rota = Rota(KINDS, every=every, random=Random(seed), apart=apart)
    return [rota.deal() for _ in range(count)]


def test_each_kind_comes_as_often_as_the_others() -> None:
    hits = [kind for kind in dealt(1) if kind is not None]

    counts = [hits.count(kind) for kind in KINDS]

    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("every", [1, 3, 10])
def test_one_subject_in_so_many_is_hit(every: int) -> None:
    hits = [kind for kind in dealt(2, every=every, count=3000) if kind is not None]

    assert len(hits) == pytest.approx(3000 / every, rel=0.1)


def test_two_that_are_hit_are_so_far_apart() -> None:
    hit = [number for number, kind in enumerate(dealt(3, every=6, apart=4)) if kind is not None]

    assert min(later - earlier for earlier, later in pairwise(hit)) == 4


def test_the_same_seed_deals_the_same() -> None:
    assert dealt(4) == dealt(4)
    assert dealt(4) != dealt(5)


def test_a_tally_knows_what_never_happened() -> None:
    tally = Tally(KINDS)

    tally.count("slow")

    assert tally.counts() == {"down": 0, "slow": 1, "wrong": 0}
