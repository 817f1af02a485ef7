"""Envelope encryption: AES-256-GCM under the customer's data key, itself wrapped under the master key.

The associated data of every ciphertext names customer and system, so that a row copied to another customer does not
open.
Deleting a customer's data key makes everything encrypted under it unreadable, backups included.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from common.domain.clock import Clock
from common.domain.errors import ConfigurationError, CustomerInvalid

#: AES-256.
KEY_BYTES = 32
#: The nonce length AES-GCM is specified for.
NONCE_BYTES = 12


class KeyStore(Protocol):
    """Where wrapped keys and ciphertexts are kept."""

    def wrapped_key(self, customer_id: str) -> tuple[bytes, str] | None: ...

    def add_wrapped_key(self, customer_id: str, wrapped_key: bytes, master_key_id: str, now: datetime) -> None: ...

    def ciphertext(self, customer_id: str, system: str) -> bytes | None: ...

    def put_ciphertext(self, customer_id: str, system: str, ciphertext: bytes, now: datetime) -> None: ...


class Vault:
    """Puts and opens tokens."""

    def __init__(
        self, master_key: bytes, keys: KeyStore, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        if len(master_key) != KEY_BYTES:
            raise ConfigurationError(f"FLEET_MASTER_KEY must be {KEY_BYTES} bytes in base64, not {len(master_key)}")
        self._master = AESGCM(master_key)
        #: Tells which master key wrapped a data key without telling anything of the key.
        self._master_id = hashlib.sha256(b"syncfleet master key id" + master_key).hexdigest()[:12]
        self._keys = keys
        self._clock = clock
        self._random_bytes = random_bytes

    def put(self, customer_id: str, system: str, token: SecretStr) -> None:
        box = AESGCM(self._data_key(customer_id, create=True))
        sealed = self._seal(box, token.get_secret_value().encode(), _purpose(customer_id, system))
        self._keys.put_ciphertext(customer_id, system, sealed, self._clock.now())

    def open(self, customer_id: str, system: str) -> SecretStr:
        """Raises CustomerInvalid if there is no token, ConfigurationError if the master key is another one."""
        sealed = self._keys.ciphertext(customer_id, system)
        if sealed is None:
            raise CustomerInvalid(customer_id, f"{system} token", "is missing; give it with `fleet customers token`")
        box = AESGCM(self._data_key(customer_id, create=False))
        return SecretStr(_unseal(box, sealed, _purpose(customer_id, system), customer_id).decode())

    def _data_key(self, customer_id: str, *, create: bool) -> bytes:
        stored = self._keys.wrapped_key(customer_id)
        if stored is None and create:
            wrapped = self._seal(self._master, self._random_bytes(KEY_BYTES), _purpose(customer_id, "data key"))
            self._keys.add_wrapped_key(customer_id, wrapped, self._master_id, self._clock.now())
            stored = self._keys.wrapped_key(customer_id)
        if stored is None:
            raise CustomerInvalid(customer_id, "data key", "is gone: its tokens cannot be opened; give them anew")
        wrapped, master_id = stored
        if master_id != self._master_id:
            raise ConfigurationError(f"customer {customer_id}: its key was wrapped by master key {master_id}, not ours")
        return _unseal(self._master, wrapped, _purpose(customer_id, "data key"), customer_id)

    def _seal(self, box: AESGCM, plaintext: bytes, purpose: bytes) -> bytes:
        nonce = self._random_bytes(NONCE_BYTES)
        return nonce + box.encrypt(nonce, plaintext, purpose)


def _unseal(box: AESGCM, sealed: bytes, purpose: bytes, customer_id: str) -> bytes:
    try:
        return box.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose)
    except InvalidTag:
        raise ConfigurationError(
            f"customer {customer_id}: a stored token does not open: wrong FLEET_MASTER_KEY, or the row was changed"
        ) from None


def _purpose(customer_id: str, what: str) -> bytes:
    return f"syncfleet/v1/{customer_id}/{what}".encode()
