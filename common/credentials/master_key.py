"""The master key: given by the environment, or made on first start and kept in the state directory."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from pydantic import SecretStr

from common.credentials.vault import KEY_BYTES
from common.domain.errors import ConfigurationError

#: In the state directory, readable by its owner only.
MASTER_KEY_FILE = "master.key"


def load_master_key(given: SecretStr | None, state_dir: Path) -> bytes:
    """Raises ConfigurationError if the key is not base64."""
    if given is not None:
        return _decode(given.get_secret_value(), "FLEET_MASTER_KEY")
    path = state_dir / MASTER_KEY_FILE
    if not path.exists():
        _create(path)
    return _decode(path.read_text(), str(path))


def _decode(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(f"{where} is not base64: give {KEY_BYTES} random bytes in base64") from None


def _create(path: Path) -> None:
    """Write a fresh key under another name, then link it: of two processes that start together, one wins whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(os.urandom(KEY_BYTES)))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
