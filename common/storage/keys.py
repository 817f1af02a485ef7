"""Data keys and ciphertexts, as rows. What they mean is the business of `common.credentials`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert

from common.storage.tables import credentials, data_keys


class PostgresKeyStore:
    """Implements `common.credentials.vault.KeyStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def wrapped_key(self, customer_id: str) -> tuple[bytes, str] | None:
        """The customer's data key, wrapped, and the id of the master key that wraps it."""
        query = select(data_keys.c.wrapped_key, data_keys.c.master_key_id).where(data_keys.c.customer_id == customer_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return (row.wrapped_key, row.master_key_id) if row else None

    def add_wrapped_key(self, customer_id: str, wrapped_key: bytes, master_key_id: str, now: datetime) -> None:
        """Keep the first one: another process may have been faster."""
        row = {
            "customer_id": customer_id, "wrapped_key": wrapped_key, "master_key_id": master_key_id, "created_at": now,
        }  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(insert(data_keys).values(row).on_conflict_do_nothing())

    def ciphertext(self, customer_id: str, system: str) -> bytes | None:
        query = select(credentials.c.ciphertext).where(
            credentials.c.customer_id == customer_id, credentials.c.system == system
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def put_ciphertext(self, customer_id: str, system: str, ciphertext: bytes, now: datetime) -> None:
        row = {"customer_id": customer_id, "system": system, "ciphertext": ciphertext, "updated_at": now}
        statement = insert(credentials).values(row)
        changes = {"ciphertext": ciphertext, "updated_at": now}
        with self._engine.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[credentials.c.customer_id, credentials.c.system], set_=changes
                )
            )
