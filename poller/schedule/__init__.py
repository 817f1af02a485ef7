"""Who is polled when.

    phase      when a customer's turn comes: a pure function of its id and period, so nobody moves when others come
    or go
    agenda     the turns of all customers, in order
    scheduler  Celery beat, driven by the agenda; of several beats one leads, by an advisory lock

Computed, not stored: after an outage nobody is bunched up, two beats agree without talking, and a wiped Redis changes
nothing. Catch-up rule: a turn that was missed is not made up; the next one comes within a period, at its own moment.
"""
