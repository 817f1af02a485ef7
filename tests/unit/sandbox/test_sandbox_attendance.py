"""How participations are told apart, although the API gives them no id."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.sandbox.volunteer.attendance import Attendance, identified
from deploy.sandbox.volunteer.changes import Changes, Moment

NOW = Moment(1_000.0, 5.0)


def row(role="Volunteer", signed_up_at=100, date_id=1011, project_id=701, **more):
    return {"project_id": project_id, "project_date_id": date_id, "role": role, "signed_up_at": signed_up_at, **more}


def attendance():
    changes = Changes()
    return Attendance(changes), changes.entries


def told(entries):
    return [(entry["kind"], entry["id"]) for entry in entries]


def test_the_first_row_on_a_date_has_the_plain_id_and_the_next_one_with_its_role():
    rows = [row("Driver", 200), row("Volunteer", 100), row("Driver", 300), row("Volunteer", 400, 1012)]

    assert list(identified(5, rows)) == ["1011:5", "1011:5:Driver", "1011:5:Driver:2", "1012:5"]


def test_at_the_same_second_the_role_decides_and_no_sign_up_comes_first():
    assert identified(5, [row("Volunteer"), row("Driver")])["1011:5"]["role"] == "Driver"
    assert identified(5, [row("Driver"), row("Zoo", None)])["1011:5"]["role"] == "Zoo"
    assert identified(5, [row("Driver", "some day"), row("Zoo")])["1011:5"]["role"] == "Zoo"


def test_an_anytime_participation_is_named_after_its_project():
    assert list(identified(5, [row(date_id=None)])) == ["project-701:5"]


@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.none() | st.integers(0, 3), st.sampled_from([None, 1011])), max_size=6
    ),
    st.randoms(),
)
def test_ids_are_unique_and_do_not_depend_on_the_order_of_the_rows(drawn, random):
    rows = [row(role, at, date_id) for role, at, date_id in drawn]
    shuffled = random.sample(rows, k=len(rows))

    assert identified(5, shuffled) == identified(5, rows)
    assert len(identified(5, rows)) == len(rows)


def test_the_log_says_what_differs_and_nothing_else():
    book, entries = attendance()

    book.enrol(5, [row(), row("Driver", 200)], NOW)
    book.enrol(5, [row(hours="2.00"), row("Driver", 200)], NOW)

    assert told(entries) == [("create", "1011:5"), ("create", "1011:5:Driver"), ("change", "1011:5")]
    assert entries[-1]["values"]["hours"] == "2.00"
    assert [entry["seq"] for entry in entries] == [1, 2, 3]


def test_when_the_first_row_is_cancelled_its_id_passes_to_the_next():
    book, entries = attendance()
    book.enrol(5, [row(), row("Driver", 200)], NOW)

    book.delete("1011:5", NOW)

    assert told(entries[2:]) == [("delete", "1011:5:Driver"), ("change", "1011:5")]
    assert entries[-1]["values"]["role"] == "Driver"


def test_a_place_that_is_gone_takes_its_rows_and_leaves_the_others():
    book, entries = attendance()
    book.enrol(5, [row(), row(date_id=None)], NOW)
    book.enrol(6, [row(), row(date_id=1012)], NOW)

    book.empty({"project_date_id": 1011}, NOW)

    assert [each["id"] for rows in book.exported().values() for each in rows] == ["project-701:5", "1012:6"]
    assert told(entries[4:]) == [("delete", "1011:5"), ("delete", "1011:6")]
