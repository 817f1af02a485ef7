"""Forms and completions: several answers, late changes, and filters by date."""

import pytest


def completions(organization, form_id=310, **query):
    return organization.volunteer.get(f"/forms/{form_id}/completions", params=query).raise_for_status().json()["data"]


def one(organization, completion_id, form_id=310):
    return organization.volunteer.get(f"/forms/{form_id}/completions/{completion_id}").json()["data"]


@pytest.mark.parametrize("shown", [True, False])
def test_whether_a_form_shows_its_fields_is_a_setting(desk, shown):
    organization = desk(form_fields=shown)

    (form, _) = organization.volunteer.get("/forms").json()["data"]

    assert ("fields" in form) is shown
    assert organization.admin.export(organization.name)["source"]["forms"][0]["fields"]
    if shown:
        assert [set(field) for field in form["fields"]] == [{"id", "label", "field_type"}] * 3


def test_organizations_nobody_configured_differ_in_it(admin):
    admin.create_organizations(*[{"name": f"formed{number}", "users": 0} for number in range(12)])

    assert {admin.export(f"formed{number}")["settings"]["form_fields"] for number in range(12)} == {True, False}


def test_a_completion_has_several_answers_to_fields_of_its_form(desk):
    organization = desk(form_fields=True)
    forms = {form["id"]: form for form in organization.volunteer.get("/forms").json()["data"]}

    for form_id, form in forms.items():
        labels = {field["id"]: field["label"] for field in form["fields"]}
        rows = completions(organization, form_id)
        assert all(len(row["field_responses"]) in (2, 3) for row in rows)
        assert {answer["field_id"] for row in rows for answer in row["field_responses"]} <= set(labels)
    ids = [
        answer["id"]
        for form_id in forms
        for row in completions(organization, form_id)
        for answer in row["field_responses"]
    ]
    assert len(set(ids)) == len(ids)


def test_a_late_change_moves_updated_at_alone_and_the_filters_see_it(desk):
    organization = desk()
    row = completions(organization)[0]
    user = organization.volunteer.get(f"/users/{row['user_id']}").json()["data"]

    organization.admin.change_record(
        organization.name, "form_completions", row["id"], answers=[{"field_id": 77, "value": "XL"}]
    )
    after = one(organization, row["id"])

    assert [answer["value"] for answer in after["field_responses"]] == ["XL"]
    assert after["created_at"] == row["created_at"]
    assert after["updated_at"] > row["updated_at"]
    assert [other["id"] for other in completions(organization, updated_after=after["updated_at"])] == [row["id"]]
    assert row["id"] not in [other["id"] for other in completions(organization, updated_before=row["updated_at"])]
    assert row["id"] in [other["id"] for other in completions(organization, created_before=row["created_at"])]
    assert organization.volunteer.get(f"/users/{row['user_id']}").json()["data"]["updated_at"] == user["updated_at"]


def test_a_form_and_a_completion_can_be_made_and_go_together(desk):
    organization = desk()
    name = organization.name

    form = organization.admin.create_record(name, "forms", created_at="2031-01-01T00:00:00+00:00")
    made = organization.admin.create_record(name, "form_completions", form_id=form["id"], user_id=4101)
    later = organization.volunteer.get("/forms", params={"created_after": "2030-12-31"}).json()["data"]
    assert [row["id"] for row in later] == [form["id"]]
    assert [row["user_id"] for row in completions(organization, form["id"])] == [4101]

    organization.admin.delete_record(name, "forms", form["id"])
    changes = organization.admin.export(name)["source"]["changes"]
    assert [(row["resource"], row["id"]) for row in changes[-2:]] == [
        ("form_completions", str(made["id"])),
        ("forms", str(form["id"])),
    ]
    assert {row["kind"] for row in changes[-2:]} == {"delete"}


@pytest.mark.parametrize("values", [{"answers": None}, {"user_id": None}, {"user_id": 1}, {"updated_at": "some day"}])
def test_a_completion_may_be_malformed(desk, values):
    organization = desk(id_style="string")

    made = organization.admin.create_record(organization.name, "form_completions", form_id=310, **values)
    shown = one(organization, made["id"])

    wanted = {"field_responses" if name == "answers" else name: value for name, value in values.items()}
    assert {name: shown[name] for name in wanted} == {
        name: str(value) if isinstance(value, int) else value for name, value in wanted.items()
    }
    assert completions(organization, updated_after="2000-01-01")


def test_a_completion_may_lack_its_answers(desk):
    organization = desk()

    made = organization.admin.create_record(
        organization.name, "form_completions", form_id=310, omit=["field_responses"]
    )

    assert not {"field_responses", "answers", "omit"} & set(one(organization, made["id"]))
