"""What an operator reads of dead letters fits into a terminal: only sentences take more lines."""

from __future__ import annotations

import io

from rich.console import Console
from support.builders import NOW

from common.cli.letters import _tries
from common.cli.replay_preview import Cost, Looked, Preview, preview_view
from common.domain.attempts import Attempt
from common.domain.replays import ReplayClass

WHY = "address, birthday, email, first_name, gender, last_name, membership_role, membership_status, phone"


def lines(view, *, width):
    out = io.StringIO()
    Console(file=out, width=width).print(view)
    return out.getvalue().splitlines()


def a_preview():
    letter = Looked(
        dead_letter_id=4161, record="users/4161", found=ReplayClass.APPLY, goes_in=True, why=WHY, stored={}, mirror={},
        source="not asked", destination=None, conflicts=(),
    )  # fmt: skip
    cost = Cost(source_requests=0, destination_requests=1, requests=3.0, seconds=10)
    return Preview(letters=[letter], counts={"apply": 1}, cost=cost, notes=())


def test_a_preview_shows_number_record_and_class_whole_however_many_fields_there_are():
    shown = lines(preview_view(a_preview()), width=80)

    assert any(line.split()[:4] == ["4161", "users/4161", "apply", "yes"] for line in shown)
    assert not any("…" in line for line in shown)
    assert all(name in " ".join(shown) for name in ("phone", "birthday"))


def test_an_attempt_is_shown_with_its_whole_message():
    attempt = Attempt(
        event_id=1, number=1, at=NOW, verdict="dead_letter", error="RecordRefused", status=400, trace_id="t",
        message="customer charity-01: crm_plus: POST /api/Contact/Batch: 400, and a good deal more besides that",
    )  # fmt: skip

    shown = lines(_tries([attempt]), width=80)

    assert not any("…" in line for line in shown)
    assert any("dead_letter" in line and "400" in line for line in shown)
