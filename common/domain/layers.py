"""Layers: the ways in which a customer's changes are looked for. They share one path and differ in this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from common.domain.events import Origin


class Layer(StrEnum):
    """When and how a source is read."""

    POLL = "poll"  # at the customer's cadence, from the checkpoint
    NIGHTLY = "nightly"  # the same, once a night, for customers who want a batch
    RECONCILIATION = "reconciliation"  # once a day, the last day again, whatever the checkpoint says
    FULL = "full"  # once a week, everything that is otherwise read by its time of change: it shows what is gone


@dataclass(frozen=True, kw_only=True)
class LayerTerms:
    """How a layer's runs differ."""

    #: Of its events; None: `backfill` until there is a checkpoint, then `poll`.
    origin: Origin | None
    #: Whose progress and checkpoint it uses: layers that share a position are never under way at once.
    progress_of: Layer
    #: Reads from this long before its start instead of from the checkpoint, which it leaves alone.
    looks_back_seconds: float | None = None
    #: Comes at slots: a message asks for a run only if its checkpoint says that it is due, so that of two messages for
    #: one slot the second does nothing.
    at_slots: bool = False
    #: Reads all there is, and takes what is missing for absent.
    is_whole: bool = False


#: A day, and an hour for days that have 25 of them and for a run that starts late.
RECONCILIATION_SECONDS = 25 * 3600.0

LAYER_TERMS: Mapping[Layer, LayerTerms] = {
    Layer.POLL: LayerTerms(origin=None, progress_of=Layer.POLL),
    Layer.NIGHTLY: LayerTerms(origin=Origin.NIGHTLY, progress_of=Layer.POLL, at_slots=True),
    Layer.RECONCILIATION: LayerTerms(
        origin=Origin.RECONCILIATION,
        progress_of=Layer.RECONCILIATION,
        looks_back_seconds=RECONCILIATION_SECONDS,
        at_slots=True,
    ),
    Layer.FULL: LayerTerms(origin=Origin.FULL, progress_of=Layer.FULL, at_slots=True, is_whole=True),
}
