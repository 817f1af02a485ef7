"""The rounds of a game: a pure function of seed, minutes and what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

#: Of a round, the part that is attack; the rest is edits after it, coming to rest, and the audit.
ATTACK_PART = 0.2
#: Seconds: shorter, a pause would end before any deadline of the product has passed ...
SHORTEST_ATTACK = 6.0
#: ... and longer, nothing new happens.
LONGEST_ATTACK = 30.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """One attack, and the seed of everything that is drawn in it."""

    number: int
    attack: str
    seconds: float
    seed: int

    def random(self) -> Random:
        return Random(f"round:{self.seed}")


def plan(seed: int, minutes: float, attacks: Sequence[str]) -> Sequence[Round]:
    """Every attack once, in an order that the seed decides, and more of them while there is time.

    Minutes too short for all of them are exceeded: an attack that is left out proves nothing.
    """
    random = Random(f"chaos:{seed}")
    names = list(attacks)
    random.shuffle(names)
    seconds = min(LONGEST_ATTACK, max(SHORTEST_ATTACK, minutes * 60 * ATTACK_PART / len(names)))
    count = max(len(names), int(minutes * 60 * ATTACK_PART / seconds))
    names += [random.choice(attacks) for _ in range(count - len(names))]
    return [
        Round(number=number, attack=name, seconds=seconds, seed=random.randrange(2**32))
        for number, name in enumerate(names, start=1)
    ]
