"""One organization: its settings and tokens, and its state in both systems."""

from dataclasses import dataclass, field
from random import Random

from deploy.sandbox.clock import Clock
from deploy.sandbox.crm.destination import Destination
from deploy.sandbox.crm.seeding import seed_destination
from deploy.sandbox.extras import seed_extras
from deploy.sandbox.limits import FixedWindow
from deploy.sandbox.seals import Proofs
from deploy.sandbox.seeding import seed_source
from deploy.sandbox.settings import Settings
from deploy.sandbox.volunteer.books import open_books
from deploy.sandbox.volunteer.changes import Moment
from deploy.sandbox.volunteer.source import Source

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
    #: What each of its records in CRM+ looked like when it was last touched.
    proofs: Proofs = field(default_factory=Proofs)
    crm_window: FixedWindow = field(default_factory=lambda: FixedWindow(HOUR_SECONDS))

    def __post_init__(self) -> None:
        self.books = open_books(self.source, dates_touch_project=lambda: self.settings.dates_touch_project)


def found(name: str, settings: Settings, random: Random, extra: Random, clock: Clock) -> Organization:
    """A seeded organization; everything about it follows from the random generators.

    What was added to the sandbox later is drawn from `extra`, so that users stay the same from release to release.
    """
    organization = Organization(
        name=name,
        settings=settings,
        canary=f"Zq{random.getrandbits(32):08x}",
        volunteer_token=f"volcanary-{name}-{random.getrandbits(64):016x}",
        crm_token=f"crmcanary-{name}-{random.getrandbits(64):016x}",
        random=random,
    )
    source, now = organization.source, clock.now()
    seed_source(source, random, users=settings.users, canary=organization.canary, now=now)
    seed_extras(source, extra, name=name, now=now)
    source.note_seeds(Moment(now.timestamp(), 0.0))
    seed_destination(organization.destination, source.directory, settings, now)
    return organization


def moment(clock: Clock) -> Moment:
    return Moment(clock.now().timestamp(), clock.monotonic())
