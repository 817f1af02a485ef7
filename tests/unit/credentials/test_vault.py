"""Tokens under a key of the customer's own: nobody else's row opens, and nothing tells a token."""

from __future__ import annotations

import base64

import pytest
from pydantic import SecretStr

from common.credentials.master_key import load_master_key
from common.credentials.vault import Vault
from common.domain.clock import ManualClock
from common.domain.errors import ConfigurationError, CustomerInvalid

MASTER, OTHER = bytes(range(32)), bytes(32)
TOKEN = "volcanary-s3cret"


class MemoryKeys:
    """Implements `KeyStore` as two dicts that a test may tamper with."""

    def __init__(self):
        self.wrapped, self.sealed = {}, {}

    def wrapped_key(self, customer_id):
        return self.wrapped.get(customer_id)

    def add_wrapped_key(self, customer_id, wrapped_key, master_key_id, now):
        self.wrapped.setdefault(customer_id, (wrapped_key, master_key_id))

    def ciphertext(self, customer_id, system):
        return self.sealed.get((customer_id, system))

    def put_ciphertext(self, customer_id, system, ciphertext, now):
        self.sealed[customer_id, system] = ciphertext


@pytest.fixture
def keys():
    return MemoryKeys()


@pytest.fixture
def vault(keys):
    vault = Vault(MASTER, keys, ManualClock())
    vault.put("acme", "source", SecretStr(TOKEN))
    return vault


def test_what_was_put_opens(vault):
    assert vault.open("acme", "source").get_secret_value() == TOKEN


def test_a_new_token_takes_the_old_ones_place(vault):
    vault.put("acme", "source", SecretStr("new"))

    assert vault.open("acme", "source").get_secret_value() == "new"


def test_a_missing_token_names_customer_and_mend(vault):
    with pytest.raises(CustomerInvalid, match=r"acme.*destination token"):
        vault.open("acme", "destination")


def test_another_customers_row_does_not_open(vault, keys):
    vault.put("globex", "source", SecretStr("theirs"))
    keys.sealed["globex", "source"] = keys.sealed["acme", "source"]

    with pytest.raises(ConfigurationError, match="globex"):
        vault.open("globex", "source")


def test_not_even_with_the_other_customers_key(vault, keys):
    keys.sealed["globex", "source"] = keys.sealed["acme", "source"]
    keys.wrapped["globex"] = keys.wrapped["acme"]

    with pytest.raises(ConfigurationError):
        vault.open("globex", "source")


def test_each_customer_has_a_data_key_of_its_own(vault):
    vault.put("globex", "source", SecretStr(TOKEN))
    ours, theirs = (vault._data_key(customer_id, create=False) for customer_id in ("acme", "globex"))

    assert ours != theirs
    assert MASTER not in (ours, theirs)


def test_a_token_of_one_system_does_not_open_as_anothers(vault, keys):
    keys.sealed["acme", "destination"] = keys.sealed["acme", "source"]

    with pytest.raises(ConfigurationError):
        vault.open("acme", "destination")


@pytest.mark.parametrize("place", [0, 11, 12, -1])
def test_a_row_that_was_changed_does_not_open(vault, keys, place):
    sealed = bytearray(keys.sealed["acme", "source"])
    sealed[place] ^= 1
    keys.sealed["acme", "source"] = bytes(sealed)

    with pytest.raises(ConfigurationError, match="does not open"):
        vault.open("acme", "source")


def test_another_master_key_is_told_as_such(vault, keys):
    with pytest.raises(ConfigurationError, match="master key"):
        Vault(OTHER, keys, ManualClock()).open("acme", "source")


def test_without_its_data_key_a_customers_tokens_are_gone_for_good(vault, keys):
    del keys.wrapped["acme"]

    with pytest.raises(CustomerInvalid, match="is gone"):
        vault.open("acme", "source")


def test_neither_token_nor_key_is_stored_readable_or_twice_alike(vault, keys):
    first = keys.sealed["acme", "source"]
    vault.put("acme", "source", SecretStr(TOKEN))

    assert TOKEN.encode() not in first
    assert keys.sealed["acme", "source"] != first
    assert MASTER not in keys.wrapped["acme"][0]


def test_nothing_of_a_token_is_in_any_repr_or_error(vault, keys):
    secret = vault.open("acme", "source")
    keys.sealed["acme", "source"] = b"x" * 40
    with pytest.raises(ConfigurationError) as raised:
        vault.open("acme", "source")

    assert TOKEN not in f"{vault!r} {secret!r} {secret} {raised.value!r} {vars(vault)}"


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(keys, size):
    with pytest.raises(ConfigurationError, match="FLEET_MASTER_KEY"):
        Vault(bytes(size), keys, ManualClock())


def test_two_processes_that_start_together_use_one_data_key(keys):
    one, other = Vault(MASTER, keys, ManualClock()), Vault(MASTER, keys, ManualClock())
    one.put("acme", "source", SecretStr("a"))
    other.put("acme", "destination", SecretStr("b"))

    assert other.open("acme", "source").get_secret_value() == "a"
    assert one.open("acme", "destination").get_secret_value() == "b"


def test_a_given_master_key_is_read_from_base64(tmp_path):
    assert load_master_key(SecretStr(base64.b64encode(MASTER).decode()), tmp_path) == MASTER
    assert list(tmp_path.iterdir()) == []


def test_a_master_key_that_is_no_base64_is_refused_without_repeating_it(tmp_path):
    with pytest.raises(ConfigurationError, match="FLEET_MASTER_KEY") as raised:
        load_master_key(SecretStr("not*base64"), tmp_path)

    assert "not*base64" not in str(raised.value)


def test_the_first_start_makes_a_key_for_its_owner_alone_and_the_next_finds_it(tmp_path):
    made = load_master_key(None, tmp_path / "state")
    (path,) = (tmp_path / "state").iterdir()

    assert load_master_key(None, tmp_path / "state") == made
    assert len(made) == 32
    assert path.stat().st_mode & 0o077 == 0
