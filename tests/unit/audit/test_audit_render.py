"""What a person sees: a table that fits, a verdict, and findings."""

import io
import json

import pytest
from rich.console import Console
from support.audit_evidence import Evidence, clean_world

from deploy.audit.__main__ import moment
from deploy.audit.render import show, summary


@pytest.fixture
def evidence():
    return Evidence(clean_world())


def shown(report, width):
    out = io.StringIO()
    show(report, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits_and_cuts_no_number(evidence, width):
    evidence.export["organizations"]["acme"]["settings"]["crm_requests_per_hour"] = 0
    for _ in range(12_345):
        evidence.request()

    text = shown(evidence.judged(), width)

    assert "…" not in text
    assert "12345" in text
    assert max(map(len, text.splitlines())) <= width


def test_findings_are_listed_up_to_a_number(evidence):
    evidence.destination()["contacts"].clear()
    evidence.destination("brook")["contacts"].clear()
    for number in range(20):
        evidence.source()["users"][str(9000 + number)] = {"id": 9000 + number, "omitted": []}

    text = shown(evidence.judged(), 120)

    assert text.count("no contact carries this user's reference") == 20
    assert "and 12 more: see --json" in text


def test_the_summary_begins_with_the_verdict(evidence):
    assert summary(evidence.judged()).startswith("PASS 2 customers, 12 source records, 12 contacts, 0 missing")
    evidence.destination()["contacts"].pop()
    assert summary(evidence.judged()).startswith("FAIL 2 customers, 12 source records, 11 contacts, 1 missing")


def test_the_report_is_json(evidence):
    content = json.loads(json.dumps(evidence.judged(since=1.0).to_json()))

    assert (content["verdict"], content["since"], content["findings"]) == ("PASS", 1.0, [])
    assert content["customers"][0]["passed"] is True


def test_a_moment_is_given_in_seconds_or_as_a_time():
    assert moment("12.5") == 12.5
    assert moment("1970-01-01T00:01:00") == moment("1970-01-01T01:01:00+01:00") == 60.0
    with pytest.raises(ValueError):
        moment("yesterday")
