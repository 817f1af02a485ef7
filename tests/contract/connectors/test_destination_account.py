"""What CRM+ tells of an account as a whole: which custom fields it has now, and who else writes into it."""

from __future__ import annotations

import pytest
from support.builders import a_customer
from support.clients import an_api

from common.domain.clock import SystemClock
from common.domain.destinations import SeesOthers
from common.http.client import make_transport
from common.storage.memory.references import MemoryReferenceCache
from processor.destinations.registry import DESTINATIONS


@pytest.fixture
def account(organization):
    """Opens the destination of one organization, each time with what was remembered before."""
    transport, references, access = make_transport(5.0), MemoryReferenceCache(), organization(users=1)

    def open_anew(**settings):
        api = an_api(access.crm_base_url, access.crm_token, transport=transport, customer_id=access.name)
        customer = a_customer(access.name, destination_settings=settings)
        return DESTINATIONS["crm_plus"].open(api, customer, SystemClock(), references)

    open_anew.name = access.name
    yield open_anew
    transport.close()


def contact_of(sandbox, name, source):
    own = {"contactType": "Household", "contactIndividuals": [{"firstName": "Ada", "lastName": "Byron"}]}
    sandbox.create_contact(name, **own, references=[{"source": source, "id": f"r-{source}"}])


def asked(sandbox, name, ending):
    return sum(row["organization"] == name and row["path"].endswith(ending) for row in sandbox.journal())


def test_a_field_that_was_removed_is_missing_at_once_although_it_is_remembered_for_a_day(account, sandbox):
    assert account().missing_fields("users", ["Shirt Size", "Hat"]) == ["Hat"]
    sandbox.remove_custom_field(account.name, "Contact", "Shirt Size")

    assert account().missing_fields("users", ["Shirt Size", "Hat"]) == ["Shirt Size", "Hat"]


def test_resources_that_fill_the_same_kind_of_record_share_one_request(account, sandbox):
    opened = account()
    opened.missing_fields("users", ["Hat"])
    opened.missing_fields("form_completions", ["Hat"])

    assert asked(sandbox, account.name, "/CustomFields") == 1


def test_traces_of_others_are_counted_by_source_in_one_request_whatever_their_case(account, sandbox):
    for source in ("VOMO", "vomo", "Virtuous Volunteer", "Mailer", "Syncfleet"):
        contact_of(sandbox, account.name, source)
    opened = account()

    assert isinstance(opened, SeesOthers)
    assert opened.others_writing() == {"VOMO": 1, "Virtuous Volunteer": 1, "vomo": 1}
    assert asked(sandbox, account.name, "/FullContact") == 1


def test_our_own_references_are_never_anothers_traces(account, sandbox):
    contact_of(sandbox, account.name, "VOMO")

    assert account(reference_source="VOMO").others_writing() == {}
