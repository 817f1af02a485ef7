"""One customer's account, as all shapes use it."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.clock import Clock
from common.domain.references import ReferenceCache
from common.http.client import ApiClient
from processor.destinations.crm_plus.settings import CrmPlusSettings


@dataclass(frozen=True, kw_only=True)
class Account:
    """The key's client, the customer's settings, and what is remembered of the account."""

    customer_id: str
    api: ApiClient
    settings: CrmPlusSettings
    clock: Clock
    references: ReferenceCache
