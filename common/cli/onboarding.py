"""Add a customer, whole or not at all: check, verify both tokens, store everything in one transaction, poll at once.

Tokens are sealed in memory first, so that customer, key and tokens can be committed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr

from common.cli.bootstrap import Parts
from common.cli.checks import check
from common.cli.options import operator
from common.cli.others import others_told
from common.cli.verification import Tally, client_of, verify
from common.credentials.vault import Vault
from common.domain.customers import Customer, System
from common.domain.errors import CustomerInvalid
from common.domain.mapping import read_mapping
from common.domain.targets import keep, missing_targets
from common.storage.memory.references import MemoryReferenceCache
from processor.destinations import registry


def onboard(
    parts: Parts, customer: Customer, source_token: SecretStr, destination_token: SecretStr, *, verified: bool = True
) -> Sequence[str]:
    """Returns what a person should know, and what is no reason to refuse.

    Raises CustomerInvalid, naming customer and field, for anything that is wrong; then nothing was stored. With
    `verified=False`, neither system is called.
    """
    check(customer)
    tokens = {System.SOURCE: source_token, System.DESTINATION: destination_token}
    parts.redis.ping()  # Before anything is stored: without Redis, what is sent here could not be counted.
    tally, looked_at = Tally(), parts.clock.now()
    for system, token in tokens.items() if verified else ():
        verify(parts, customer, system, token, tally)
    warnings = _look_around(parts, customer, destination_token, tally) if verified else ()
    sealed = _seal(parts, customer.customer_id, tokens)
    parts.customers.add_with_tokens(customer, wrapped_key=sealed.key, ciphertexts=sealed.ciphertexts, actor=operator())
    if verified:
        keep(parts.references, customer.customer_id, (), looked_at)
    tally.charge(parts.budget, customer.customer_id)
    parts.polls.publish(customer.customer_id, customer.lane)
    return warnings


def _look_around(parts: Parts, customer: Customer, token: SecretStr, tally: Tally) -> Sequence[str]:
    """What is there already, before the first write. Raises CustomerInvalid, as `onboard`."""
    api = client_of(parts, customer, System.DESTINATION, token, tally)
    # What is learned here is forgotten: nothing may be stored of a customer that is not.
    destination = registry.definition(customer).open(api, customer, parts.clock, MemoryReferenceCache())
    for missing in missing_targets(destination, read_mapping(customer.customer_id, customer.mapping)):
        raise CustomerInvalid(
            customer.customer_id, f"mapping.{missing.resource}", missing.mend(customer.destination)
        )  # fmt: skip
    return others_told(customer, destination)


class Sealed:
    """Implements `common.credentials.vault.KeyStore` in memory, for one customer."""

    def __init__(self) -> None:
        self._key: tuple[bytes, str] | None = None
        self.ciphertexts: dict[str, bytes] = {}

    @property
    def key(self) -> tuple[bytes, str]:
        assert self._key is not None  # noqa: S101 - sealing a token makes one
        return self._key

    def wrapped_key(self, customer_id: str) -> tuple[bytes, str] | None:  # noqa: ARG002 - the interface
        return self._key

    def add_wrapped_key(self, customer_id: str, wrapped_key: bytes, master_key_id: str, now: datetime) -> None:  # noqa: ARG002 - the interface
        self._key = wrapped_key, master_key_id

    def ciphertext(self, customer_id: str, system: str) -> bytes | None:  # noqa: ARG002 - the interface
        return self.ciphertexts.get(system)

    def put_ciphertext(self, customer_id: str, system: str, ciphertext: bytes, now: datetime) -> None:  # noqa: ARG002 - the interface
        self.ciphertexts[system] = ciphertext


def _seal(parts: Parts, customer_id: str, tokens: dict[System, SecretStr]) -> Sealed:
    sealed = Sealed()
    vault = Vault(parts.master_key, sealed, parts.clock)
    for system, token in tokens.items():
        vault.put(customer_id, system, token)
    return sealed
