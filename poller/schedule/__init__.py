"""Who is read when.

    phase       where a customer's job lies between others: a pure function of its id, so that nobody moves when others
                come or go
    slots       daily moments in a customer's local time, on any side of a change of clocks
    turns       a customer's jobs: polls at a cadence, split by resource where it is configured, and daily slots
    timetable   what the settings say of them
    agenda      the turns of all customers, in order
    publishing  what a leading beat does with them
    scheduler   Celery beat; of several beats one leads, by an advisory lock

Computed, not stored: two beats agree without talking, and a wiped Redis changes nothing. Stored are the revision of
the customers, so that a beat reads what changed and no more; how far the leading beat has published; and which date's
slots were claimed, so that each runs once a day.

Catch-up rule: what came due while no beat led, or while the leader was stopped, is made up once, however many turns
were missed, spread over as long as the gap was and five minutes at most, and not at all if the job's next regular turn
comes before that. A slot is made up for its last date only, and also by the next leader if this one is killed before it
could; a poll then waits for its next turn. A poll that waits in a queue longer than its period is
dropped, for the next one does its work.
"""
