"""Bugs behind the contract's models, in Lua and on PostgreSQL, that stories at random must find."""

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
        name="model-zombie-believes",
        promise=3,
        does="an owner does not ask the server whether its session lives",
        file="common/storage/locks.py",
        old='if self._held.get(held.name) != held.session or not self._answers("SELECT true"):',
        new="if self._held.get(held.name) != held.session:",
        tests=(LOCKS,),
    ),
)
