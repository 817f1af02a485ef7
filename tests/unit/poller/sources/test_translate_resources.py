"""A canonical record survives every spelling of its raw form; what cannot be read names its field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.builders import NOW
from support.spelling import MOMENTS, NUMBERS, PRESENT, TEXT, extended, ids, lines, optional_ids, texts, times, truths

from common.domain.certificates import Certificate, EarnedCertificate
from common.domain.community import Campaign, Organization
from common.domain.errors import RecordInvalid
from common.domain.forms import Form, FormCompletion
from common.domain.groups import Group, GroupMember
from common.domain.projects import Project, ProjectDate
from poller.sources.volunteer.translate import certificates, community, forms, groups, projects
from poller.sources.volunteer.translate.times import canonical

OPTIONAL_IDS = st.just("") | NUMBERS.map(str)
TIMES = MOMENTS.map(canonical)
OPTIONAL_TIMES = st.just("") | TIMES


def check(read, record, raw, source_id, updated_at):
    found = read(raw)
    assert found.body == record.to_body()
    assert (found.source_id, found.updated_at, found.raw) == (source_id, updated_at, raw)


@st.composite
def spelled_projects(draw):
    project = Project(
        name=draw(PRESENT), description=draw(TEXT), anytime=draw(st.booleans()), active=draw(st.booleans()),
        draft=draw(st.booleans()), privacy=draw(st.sampled_from(["", "PUBLIC", "UNLISTED"])),
        time_zone=draw(st.sampled_from(["", "America/Chicago"])), address=draw(TEXT),
    )  # fmt: skip
    item = {
        draw(st.sampled_from(["name", "project_name"])): f" {project.name} ",
        "description": draw(texts(project.description)),
        "anytime": draw(truths(project.anytime, missing=False)),
        "active": draw(truths(project.active, missing=True)),
        "draft": draw(truths(project.draft, missing=False)),
        "privacy": draw(texts(project.privacy)),
        "address": draw(lines(project.address)),
    }
    if project.time_zone:
        parts = {"formatted_address": project.address, "timezone": project.time_zone, "lat": 33.0}
        item["address"] = draw(st.sampled_from([parts, [parts]]))
    return project, item


@given(spelled_projects(), NUMBERS, TIMES, st.data())
def test_a_project(case, number, stamp, data):
    project, item = case
    raw = extended(data.draw, {**item, "id": data.draw(ids(number)), "updated_at": data.draw(times(stamp))})

    found = projects.project(raw, "acme")

    assert (found.body, found.source_id, canonical(found.updated_at)) == (project.to_body(), str(number), stamp)


@given(spelled_projects(), NUMBERS, NUMBERS, TIMES, OPTIONAL_TIMES, st.data())
def test_a_date_with_what_it_needs_of_its_project(case, project_id, number, starts_at, ends_at, data):
    project, item = case
    template = projects.dates_template({**item, "id": data.draw(ids(project_id))}, "acme")
    raw = {
        "id": data.draw(ids(number)),
        "starts_at": data.draw(times(starts_at)),
        "ends_at": data.draw(times(ends_at)),
    }
    expected = ProjectDate(
        project_id=str(project_id), project_name=project.name, starts_at=starts_at, ends_at=ends_at,
        description=project.description, active=project.active and not project.draft, time_zone=project.time_zone,
        address=project.address,
    )  # fmt: skip

    check(
        lambda each: projects.project_date(each, "acme", template=template, answered_at=NOW),
        expected, raw, str(number), NOW,
    )  # fmt: skip


def test_a_project_that_says_its_type_needs_no_flag():
    item = {"id": 1, "name": "Tutoring", "updated_at": "2026-01-01", "project_type": "anytime"}

    assert projects.project(item, "acme").body["anytime"] is True
    assert projects.project({**item, "project_type": "dated"}, "acme").body["anytime"] is False


def test_an_unknown_privacy_is_kept_and_said_once():
    item = {"id": 1, "name": "Tutoring", "updated_at": "2026-01-01", "privacy": "SECRETIVE"}

    with capture_logs() as logged:
        records = [projects.project(item, "once-said") for _ in range(3)]

    assert [record.body["privacy"] for record in records] == ["SECRETIVE"] * 3
    assert [line["field"] for line in logged] == ["privacy"]


@given(st.builds(Group, name=PRESENT, description=TEXT, parent_id=OPTIONAL_IDS), NUMBERS, OPTIONAL_TIMES, st.data())
def test_a_group(group, number, stamp, data):
    raw = extended(
        data.draw,
        {
            "id": data.draw(ids(number)), "name": f"{group.name} ", "description": data.draw(texts(group.description)),
            "parent_id": data.draw(optional_ids(group.parent_id)), "has_subgroups": True,
            "updated_at": data.draw(times(stamp)),
        },
    )  # fmt: skip

    found = groups.group(raw, "acme", answered_at=NOW)

    assert (found.body, found.source_id) == (group.to_body(), str(number))
    assert canonical(found.updated_at) == (stamp or canonical(NOW))


@given(NUMBERS, NUMBERS, st.data())
def test_a_member(group_id, user_id, data):
    raw = {"id": data.draw(ids(user_id)), "first_name": "Ana", "updated_at": "2020-01-01"}

    check(
        lambda each: groups.group_member(each, "acme", group_id=str(group_id), answered_at=NOW),
        GroupMember(group_id=str(group_id), user_id=str(user_id)), raw, f"{group_id}:{user_id}", NOW,
    )  # fmt: skip


@given(st.builds(Campaign, name=PRESENT, description=TEXT, url=TEXT), NUMBERS, st.data())
def test_a_campaign(campaign, number, data):
    raw = {
        "id": data.draw(ids(number)), data.draw(st.sampled_from(["campaign_name", "name"])): campaign.name,
        "description": data.draw(texts(campaign.description)), "url": data.draw(texts(campaign.url)),
    }  # fmt: skip

    check(lambda each: community.campaign(each, "acme", answered_at=NOW), campaign, raw, str(number), NOW)


@given(st.builds(Organization, name=PRESENT, slug=TEXT, parent_id=OPTIONAL_IDS), NUMBERS, st.data())
def test_an_organization(organization, number, data):
    raw = {
        "id": data.draw(ids(number)), "name": organization.name, "slug": data.draw(texts(organization.slug)),
        "parent_id": data.draw(optional_ids(organization.parent_id)),
    }  # fmt: skip

    check(lambda each: community.organization(each, "acme", answered_at=NOW), organization, raw, str(number), NOW)


@given(st.builds(Certificate, name=PRESENT, expires_after_days=st.just("") | NUMBERS.map(str)), NUMBERS, st.data())
def test_a_certificate(certificate, number, data):
    raw = {
        "id": data.draw(ids(number)), "name": certificate.name,
        "expires_after_days": data.draw(optional_ids(certificate.expires_after_days)),
    }  # fmt: skip

    check(lambda each: certificates.certificate(each, "acme", answered_at=NOW), certificate, raw, str(number), NOW)


@given(NUMBERS, OPTIONAL_TIMES, OPTIONAL_TIMES, st.data())
def test_an_earned_certificate(number, earned_at, expires_at, data):
    raw = {
        "certificate_id": data.draw(ids(number)), "earned_at": data.draw(times(earned_at)),
        "expires_at": data.draw(times(expires_at)),
    }  # fmt: skip
    expected = EarnedCertificate(certificate_id=str(number), user_id="7", earned_at=earned_at, expires_at=expires_at)

    check(
        lambda each: certificates.earned_certificate(each, "acme", user_id="7", answered_at=NOW),
        expected, raw, f"{number}:7", NOW,
    )  # fmt: skip


@given(st.dictionaries(NUMBERS, PRESENT, max_size=3), PRESENT, st.data())
def test_a_form_with_its_labels(labels, name, data):
    rows = [{"id": data.draw(ids(number)), "label": f" {label}"} for number, label in labels.items()]
    raw = {"id": "3", "name": name, "fields": rows, "updated_at": None}
    form = Form(name=name, labels={str(number): label for number, label in labels.items()})

    check(lambda each: forms.form(each, "acme", answered_at=NOW), form, raw, "3", NOW)


@pytest.mark.parametrize("fields", [None, "null", {}, [None, 7], [{"id": [], "label": "x"}], [{"id": 1}]])
def test_a_form_goes_on_without_the_labels_that_cannot_be_read(fields):
    assert forms.form({"id": 3, "name": "F", "fields": fields}, "acme", answered_at=NOW).body["labels"] == {}


@given(NUMBERS, NUMBERS, OPTIONAL_IDS, OPTIONAL_IDS, TIMES, TIMES, TEXT, st.data())
def test_a_completion(number, form_id, user_id, project_id, created_at, updated_at, value, data):
    raw = {
        "id": data.draw(ids(number)), "form_id": data.draw(ids(form_id)), "user_id": data.draw(optional_ids(user_id)),
        "project_id": data.draw(optional_ids(project_id)), "created_at": data.draw(times(created_at)),
        "updated_at": data.draw(times(updated_at)),
        "field_responses": [{"field_id": data.draw(ids(77)), "value": data.draw(texts(value))}],
    }  # fmt: skip
    expected = FormCompletion(
        form_id=str(form_id), form_name="Waiver", user_id=user_id, project_id=project_id, completed_at=created_at,
        answers=[{"field_id": "77", "label": "Size", "value": value}],
    )  # fmt: skip
    parent = Form(name="Waiver", labels={"77": "Size"}).to_body()

    found = forms.form_completion(raw, "acme", form_id="1", parent=parent, answered_at=NOW)

    assert found.body == expected.to_body()
    assert (found.source_id, canonical(found.updated_at)) == (str(number), updated_at)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("null", ""), (7, "7"), (7.5, "7.5"), (True, "true"), (" M ", "M"), (["a", None, "b"], "a, b"),
        ({"street": "Main", "no": 1}, "street: Main, no: 1"), ([["a"], 2], "a, 2"),
    ],
)  # fmt: skip
def test_an_answer_of_any_kind_is_text(value, text):
    raw = {"id": 1, "field_responses": [{"field_id": 77, "value": value}]}

    (answer,) = forms.form_completion(raw, "acme", form_id="3", parent={}, answered_at=NOW).body["answers"]

    assert answer == {"field_id": "77", "label": "", "value": text}


ITEMS = {
    "projects": (projects.project, {"id": 1, "name": "P", "updated_at": "2026-01-01"}),
    "groups": (lambda item, who: groups.group(item, who, answered_at=NOW), {"id": 1, "name": "G"}),
    "group_members": (lambda item, who: groups.group_member(item, who, group_id="1", answered_at=NOW), {"id": 1}),
    "campaigns": (lambda item, who: community.campaign(item, who, answered_at=NOW), {"id": 1, "campaign_name": "C"}),
    "organizations": (lambda item, who: community.organization(item, who, answered_at=NOW), {"id": 1, "name": "O"}),
    "certificates": (lambda item, who: certificates.certificate(item, who, answered_at=NOW), {"id": 1, "name": "C"}),
    "forms": (lambda item, who: forms.form(item, who, answered_at=NOW), {"id": 1, "name": "F"}),
    "form_completions": (
        lambda item, who: forms.form_completion(item, who, form_id="1", parent={}, answered_at=NOW), {"id": 1},
    ),
    "earned_certificates": (
        lambda item, who: certificates.earned_certificate(item, who, user_id="1", answered_at=NOW),
        {"certificate_id": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        ("projects", "id", None), ("projects", "name", " "), ("projects", "updated_at", "soon"),
        ("projects", "anytime", "maybe"), ("projects", "active", 7), ("projects", "draft", []),
        ("projects", "address", True), ("groups", "id", {}), ("groups", "name", None), ("groups", "updated_at", "x"),
        ("groups", "parent_id", []), ("group_members", "id", "null"), ("campaigns", "campaign_name", ""),
        ("campaigns", "id", True), ("organizations", "name", None), ("organizations", "id", ""),
        ("certificates", "name", "  "), ("certificates", "expires_after_days", "two years"),
        ("certificates", "expires_after_days", -1), ("forms", "name", None), ("forms", "updated_at", "tomorrow"),
        ("form_completions", "id", None), ("form_completions", "created_at", "yesterday"),
        ("form_completions", "user_id", []), ("earned_certificates", "certificate_id", None),
        ("earned_certificates", "expires_at", "never"),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_read_names_customer_resource_field_and_mend(resource, field, value):
    read, item = ITEMS[resource]
    assert read(item, "acme").resource == resource

    with pytest.raises(RecordInvalid) as raised:
        read({**item, field: value}, "acme")

    assert raised.value.field == field
    assert str(raised.value).startswith(f"customer acme: {resource} record: field '{field}': ")
    assert "at the source" in str(raised.value)


@pytest.mark.parametrize("resource", ITEMS)
@pytest.mark.parametrize("item", [None, 7, "text", [], True])
def test_an_item_that_is_no_object_is_refused(resource, item):
    read, _ = ITEMS[resource]

    with pytest.raises(RecordInvalid, match=f"acme: {resource}"):
        read(item, "acme")


def test_a_certificate_earned_again_is_one_record_in_whatever_order_they_come():
    rows = [
        {"certificate_id": 3, "earned_at": "2024-01-01", "expires_at": "2025-01-01"},
        {"certificate_id": "3", "earned_at": "2025-06-01", "expires_at": "2026-06-01"},
        {"certificate_id": 4, "earned_at": "2020-01-01"},
    ]
    read = [certificates.earned_certificate(row, "acme", user_id="7", answered_at=NOW) for row in rows]

    for order in (read, read[::-1]):
        found = {record.source_id: record.body["earned_at"][:4] for record in certificates.newest(order)}
        assert found == {"3:7": "2025", "4:7": "2020"}
