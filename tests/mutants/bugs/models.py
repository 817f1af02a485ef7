"""Bugs of all promises behind the models: stories at random must find them, and say them shortly."""

from __future__ import annotations

from mutants.mutant import Mutant

MODELS = "tests/contract/models"
BUDGET = (
    f"{MODELS}/test_model_budget.py::test_in_redis_no_window_holds_more_than_the_limit_and_nobody_waits_for_nothing"
)
LOCKS = (
    f"{MODELS}/test_model_locks.py::"
    "test_of_several_processes_at_most_one_owns_a_partition_whatever_becomes_of_their_sessions[postgres]"
)
BREAKER = (
    f"{MODELS}/test_model_breaker.py::"
    "test_over_all_processes_exactly_one_probe_is_out_and_only_its_word_counts[postgres]"
)
CHECKPOINT = (
    f"{MODELS}/test_model_checkpoint.py::"
    "test_the_position_passes_nothing_that_is_not_stored_and_in_the_end_all_is_there[postgres]"
)

BUGS = (
    Mutant(
        name="model-window-off-by-one",
        promise=4,
        does="a window lacks the bucket for requests on their way",
        file="common/limits/acquire.lua",
        old="local used, oldest = 0, current - buckets - 1",
        new="local used, oldest = 0, current - buckets",
        tests=(BUDGET,),
    ),
    Mutant(
        name="model-other-server-trusted",
        promise=4,
        does="a replica that took over is believed to have every count",
        file="common/limits/acquire.lua",
        old="  if counted_by then redis.call('SET', KEYS[3], string.format('%.0f', now)) end\n",
        new="",
        tests=(BUDGET,),
    ),
    Mutant(
        name="model-shorter-wait-wins",
        promise=4,
        does="a short Retry-After takes the place of a longer one",
        file="common/limits/close.lua",
        old="if not state[1] or is_others or now + wait > tonumber(state[1]) then",
        new="if not state[1] or is_others or now + wait > 0 then",
        tests=(BUDGET,),
    ),
    Mutant(
        name="model-wait-forgotten-with-the-clock",
        promise=4,
        does="a Retry-After is over where the clock of Redis was set beyond it",
        file="common/limits/acquire.lua",
        old="  told = since + tonumber(state.told_wait or '0')\n",
        new="",
        tests=(BUDGET,),
    ),
    Mutant(
        name="model-closed-too-shortly",
        promise=4,
        does="counts of another clock are forgotten, and the budget closed for half a window",
        file="common/limits/acquire.lua",
        old="counts, closed, latest = {}, since + span, 0",
        new="counts, closed, latest = {}, since + span / 2, 0",
        tests=(BUDGET,),
    ),
    Mutant(
        name="model-told-to-wait-for-nothing",
        promise=4,
        does="who is refused is told to come back a window later than needed",
        file="common/limits/acquire.lua",
        old="local wait = (free + buckets + 2) * width - now",
        new="local wait = (free + 2 * buckets + 2) * width - now",
        tests=(BUDGET,),
    ),
    Mutant(
        name="model-lock-names-collide",
        promise=3,
        does="all partitions of a customer have one lock",
        file="common/storage/locks.py",
        old="hashlib.blake2b(name.encode(), digest_size=8)",
        new='hashlib.blake2b(name.rpartition("/")[0].encode(), digest_size=8)',
        tests=(LOCKS,),
    ),
    Mutant(
        name="model-zombie-lets-go",
        promise=3,
        does="an owner whose session ended gives back, later, what its process has taken anew",
        file="common/storage/locks.py",
        old="            if self._held.get(held.name) != held.session:\n                return\n",
        new="            if held.name not in self._held:\n                return\n",
        tests=(LOCKS,),
    ),
    Mutant(
        name="model-zombie-believes",
        promise=3,
        does="an owner does not ask the server whether its session lives",
        file="common/storage/locks.py",
        old='if self._held.get(held.name) != held.session or not self._answers("SELECT true"):',
        new="if self._held.get(held.name) != held.session:",
        tests=(LOCKS,),
    ),
    Mutant(
        name="model-register-ignored",
        promise=3,
        does="two threads of a process get one partition, for session locks are re-entrant",
        file="common/storage/locks.py",
        old="            if name in self._held:\n                return None\n",
        new="",
        tests=(LOCKS,),
    ),
    Mutant(
        name="model-register-outlives-the-session",
        promise=1,
        does="what was held on a session that ended stays taken in its process",
        file="common/storage/locks.py",
        old="        self._held.clear()\n",
        new="",
        tests=(LOCKS,),
    ),
    Mutant(
        name="model-two-probes",
        promise=4,
        does="two callers who look at the same time both find out whether a system is back",
        file="common/storage/breakers.py",
        old="row = connection.execute(select(breakers).where(*_key(customer_id, system)).with_for_update())",
        new="row = connection.execute(select(breakers).where(*_key(customer_id, system)))",
        tests=(BREAKER,),
    ),
    Mutant(
        name="model-openings-not-kept",
        promise=4,
        does="a breaker opens no longer the second time than the first",
        file="common/storage/breakers.py",
        old="            openings=breaker.openings,\n",
        new="",
        tests=(BREAKER,),
    ),
    Mutant(
        name="model-retry-calls-the-probe-back",
        promise=4,
        does="a person who has a system tried lets a second probe out beside the first",
        file="common/storage/breakers.py",
        old="statement = update(breakers).where(breakers.c.customer_id == customer_id, is_open)",
        new="statement = update(breakers).where(breakers.c.customer_id == customer_id, is_open | ~is_open)",
        tests=(BREAKER,),
    ),
    Mutant(
        name="model-checkpoint-not-fenced",
        promise=1,
        does="a run that was taken for dead moves the checkpoint of the one that took over",
        file="common/storage/detection.py",
        old="            checkpoints.c.run_id == run_id,\n",
        new="",
        tests=(CHECKPOINT,),
    ),
    Mutant(
        name="model-position-goes-back",
        promise=1,
        does="the position is that of the run that ended last, and not the highest",
        file="common/storage/detection.py",
        old='changes["position"] = func.greatest(checkpoints.c.position, position)',
        new='changes["position"] = position',
        tests=(CHECKPOINT,),
    ),
    Mutant(
        name="model-page-without-its-progress",
        promise=1,
        does="a page is stored, and the list is read from its beginning each time",
        file="common/storage/detection.py",
        old="page.run_id, page.now, progress=progress.to_json(), **moved",
        new="page.run_id, page.now, **moved",
        tests=(CHECKPOINT,),
    ),
)
