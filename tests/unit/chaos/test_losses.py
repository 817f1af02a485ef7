"""An attack that could not lose a reply says so: a round in which nothing was done proves nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from chaos.attacks import network
from chaos.attacks.network import Loss, _lose
from support.faults.ways import LostReply, Pass


class ARoute:
    """Loses so many replies as soon as it is told to lose any."""

    def __init__(self, losses):
        self.ways = []
        self.tally = SimpleNamespace(lost_replies=0)
        self._losses = losses

    def switch(self, way):
        self.ways.append(type(way))
        if isinstance(way, LostReply):
            self.tally.lost_replies += self._losses


def test_the_replies_that_were_lost_are_counted():
    assert _lose(Loss(route=ARoute(2), match=b"POST"), 0.0) == 2


def test_a_round_in_which_no_reply_was_lost_fails_and_the_route_carries_all_again(monkeypatch):
    monkeypatch.setattr(network, "LOSS_SECONDS", 0.01)
    route = ARoute(0)
    with pytest.raises(AssertionError, match="a reply to POST to be lost"):
        _lose(Loss(route=route, match=b"POST"), 0.0)
    assert route.ways == [LostReply, Pass]
