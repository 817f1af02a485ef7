"""One organization: its settings and tokens, and its state in both systems."""

from dataclasses import dataclass, field
from random import Random

from deploy.sandbox.clock import Clock
from deploy.sandbox.crm.destination import Destination
from deploy.sandbox.limits import FixedWindow
from deploy.sandbox.seeding import seed_source
from deploy.sandbox.settings import Settings
from deploy.sandbox.volunteer.source import Moment, Source

MINUTE_SECONDS = 60
HOUR_SECONDS = 3600


@dataclass
class Organization:
    """What a pair of bearer tokens gives access to."""

    name: str
    settings: Settings
    canary: str  #: part of every user, so that mixed organizations show
    volunteer_token: str
    crm_token: str
    random: Random
    source: Source = field(default_factory=Source)
    destination: Destination = field(default_factory=Destination)
    volunteer_window: FixedWindow = field(default_factory=lambda: FixedWindow(MINUTE_SECONDS))
    crm_window: FixedWindow = field(default_factory=lambda: FixedWindow(HOUR_SECONDS))


def found(name: str, settings: Settings, random: Random, clock: Clock) -> Organization:
    """A seeded organization; everything about it follows from the random generator."""
    organization = Organization(
        name=name,
        settings=settings,
        canary=f"Zq{random.getrandbits(32):08x}",
        volunteer_token=f"volcanary-{name}-{random.getrandbits(64):016x}",
        crm_token=f"crmcanary-{name}-{random.getrandbits(64):016x}",
        random=random,
    )
    seed_source(organization.source, random, users=settings.users, canary=organization.canary, now=clock.now())
    return organization


def moment(clock: Clock) -> Moment:
    return Moment(clock.now().timestamp(), clock.monotonic())
