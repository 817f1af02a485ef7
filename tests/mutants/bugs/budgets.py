"""Promise 4: budgets are hard; and retries, which must not become a storm."""

from __future__ import annotations

from mutants.mutant import Mutant

LIMITS = "tests/contract/limits"
VERDICTS = "tests/unit/processor/test_verdicts.py"
HTTP = "tests/unit/http"

BUGS = (
    Mutant(
        name="fixed-window",
        promise=4,
        does="a limit holds in windows of the clock, and twice as much passes across their borders",
        file="common/limits/acquire.lua",
        old="local used, oldest = 0, current - buckets - 1",
        new="local used, oldest = 0, math.floor(current / buckets) * buckets",
        tests=(
            f"{LIMITS}/test_windows.py::test_a_request_counts_for_a_whole_window_wherever_in_its_bucket_it_was_taken",
        ),
    ),
    Mutant(
        name="window-without-spare-buckets",
        promise=4,
        does="a request is forgotten while it is still within a window of the promised length",
        file="common/limits/acquire.lua",
        old="local used, oldest = 0, current - buckets - 1",
        new="local used, oldest = 0, current - buckets + 1",
        tests=(
            f"{LIMITS}/test_windows.py::test_a_request_counts_for_a_whole_window_wherever_in_its_bucket_it_was_taken",
        ),
    ),
    Mutant(
        name="open-after-a-flush",
        promise=4,
        does="a budget that Redis has forgotten starts full",
        file="common/limits/acquire.lua",
        old="closed = knows == 'lost' and now + span or 0",
        new="closed = 0",
        tests=(f"{LIMITS}/test_budgets.py::test_a_forgotten_count_starts_closed",),
    ),
    Mutant(
        name="every-use-is-the-first",
        promise=4,
        does="the durable side says of each forgotten budget that it was never used",
        file="common/storage/usage.py",
        old="return added.one_or_none() is not None",
        new="return added.one_or_none() is not None or True",
        tests=(f"{LIMITS}/test_budgets.py", f"{LIMITS}/test_traces.py"),
    ),
    Mutant(
        name="budget-per-process",
        promise=4,
        does="each process counts for itself",
        file="common/limits/budget.py",
        old="keys = [budget_key(customer_id, policy.system), THROTTLES_KEY, MARK_KEY]",
        new='keys = [budget_key(f"{customer_id}@{id(self)}", policy.system), THROTTLES_KEY, MARK_KEY]',
        tests=(f"{LIMITS}/test_windows.py::test_many_threads_of_many_workers_hammering_one_budget_never_exceed_it",),
    ),
    Mutant(
        name="share-ignored",
        promise=4,
        does="a backfill may use up what live changes need",
        file="common/limits/budget.py",
        old="BUCKETS, SHARE_FRACTIONS[share], knows,",
        new="BUCKETS, max(SHARE_FRACTIONS.values()), knows,",
        tests=(f"{LIMITS}/test_budgets.py::test_backfill_leaves_room_for_live_changes",),
    ),
    Mutant(
        name="backfill-on-the-live-share",
        promise=4,
        does="a run's requests are all on the share of live changes",
        file="poller/runs.py",
        old="return self.parts.open_source(self.customer, share_of(self.progress.origin))",
        new='return self.parts.open_source(self.customer, share_of("poll"))',
        tests=("tests/unit/poller/test_runs.py",),
    ),
    Mutant(
        name="throttle-ignored",
        promise=4,
        does="a system that a person slowed is asked as before",
        file="common/limits/acquire.lua",
        old="local throttle = tonumber(throttles[1] or '1')",
        new="local throttle = 1",
        tests=(f"{LIMITS}/test_throttles.py::test_a_throttle_holds_for_every_customer_of_its_system_and_for_no_other",),
    ),
    Mutant(
        name="headers-open-a-budget",
        promise=4,
        does="what answers say remains takes the place of our own count",
        file="common/limits/learn.lua",
        old="if ARGV[2] == '' or tonumber(redis.call('HGET', key, 'closed_until') or '0') <= now then return 0 end",
        new="if ARGV[2] == '' then return 0 end",
        tests=(f"{LIMITS}/test_budgets.py::test_what_remains_does_not_open_a_budget_that_has_a_count_of_its_own",),
    ),
    Mutant(
        name="clock-step-unseen",
        promise=4,
        does="counts made before the server's clock was stepped are believed",
        file="common/limits/acquire.lua",
        old="if step ~= mark or stepped_back then",
        new="if false then",
        tests=(f"{LIMITS}/test_clocks.py::test_a_step_of_the_servers_clock_opens_no_budget_early",),
    ),
    Mutant(
        name="open-without-redis",
        promise=4,
        does="where the count cannot be asked, a request passes",
        file="common/limits/budget.py",
        old='raise BudgetUnavailable(f"no budget: Redis: {type(error).__name__}", sent=sent) from error',
        new='return [TAKEN, 0, 0, ""]',
        tests=("tests/unit/limits/test_budget_without_redis.py::test_without_redis_nothing_may_be_sent",),
    ),
    Mutant(
        name="request-without-budget",
        promise=4,
        does="a request is sent and then counted",
        file="common/http/client.py",
        old="""        self._budget.acquire(self._customer_id, self._policy, self._share)
        answer = self._exchange(method, url or self._url(route, names or {}), query, body, where)
""",
        new="""        answer = self._exchange(method, url or self._url(route, names or {}), query, body, where)
        self._budget.acquire(self._customer_id, self._policy, self._share)
""",
        tests=(f"{HTTP}/test_http_client.py::test_nothing_is_sent_without_budget_and_each_try_takes_from_it",),
    ),
    Mutant(
        name="429-told-to-nobody",
        promise=4,
        does="other workers go on asking a system that said to wait",
        file="common/http/client.py",
        old="            self._budget.close(self._customer_id, self._policy, error.until)\n",
        new="            self._budget.learn(self._customer_id, self._policy, answer.rate_hints())\n",
        tests=(f"{HTTP}/test_http_client.py::test_a_429_closes_the_budget_for_everybody_who_shares_it",),
    ),
    Mutant(
        name="429-counted-as-an-attempt",
        promise=4,
        does="a rate limit uses up an event's attempts",
        file="processor/verdicts.py",
        old="until=error.until, reason=str(error), stops_slice=True",
        new="attempts=1, until=error.until, reason=str(error), stops_slice=True",
        tests=(f"{VERDICTS}::test_an_error_leads_to_one_action",),
    ),
    Mutant(
        name="retry-after-ignored",
        promise=4,
        does="a 429 is waited out for a minute, whatever it says",
        file="common/http/verdicts.py",
        old="until = answer.retry_at(now) or now + timedelta(seconds=SILENT_RATE_LIMIT_SECONDS)",
        new="until = now + timedelta(seconds=SILENT_RATE_LIMIT_SECONDS)",
        tests=(
            f"{HTTP}/test_http_verdicts.py::test_a_rate_limit_holds_until_retry_after_or_a_minute_where_it_is_silent",
        ),
    ),
    Mutant(
        name="retry-after-of-nothing",
        promise=4,
        does="Retry-After: 0 is asking again in a loop",
        file="common/http/answers.py",
        old="min(max(seconds, SHORTEST_RETRY_AFTER_SECONDS), LONGEST_RETRY_AFTER_SECONDS)",
        new="min(seconds, LONGEST_RETRY_AFTER_SECONDS)",
        tests=(f"{HTTP}/test_retry_after.py",),
    ),
    Mutant(
        name="rate-limit-does-not-park",
        promise=4,
        does="after a 429 the rest of the slice is sent all the same",
        file="processor/sending.py",
        old="        part.park(verdict.until, verdict.reason)\n",
        new="        part.parts.note_pause(part.customer)\n",
        tests=("tests/unit/processor/test_delivery.py::test_a_rate_limit_parks_the_customer_and_counts_no_attempt",),
    ),
    Mutant(
        name="shorter-parking-wins",
        promise=4,
        does="a parking that ends sooner takes the place of a longer one",
        file="common/storage/customers.py",
        old="customers.c.parked_until.is_(None) | (customers.c.parked_until < until)",
        new="customers.c.parked_until.is_(None) | (customers.c.parked_until != until)",
        tests=("tests/contract/storage/test_customer_store.py::test_the_later_of_two_parkings_wins_with_its_reason",),
    ),  # fmt: skip
    Mutant(
        name="delay-without-bound",
        promise=4,
        does="the wait between two attempts grows to years",
        file="common/domain/retry.py",
        old="delay = min(self.base_seconds * self.factor**exponent, self.cap_seconds)",
        new="delay = self.base_seconds * self.factor**exponent",
        tests=("tests/unit/domain/test_retry.py::test_the_delay_doubles_up_to_its_cap",),
    ),
    Mutant(
        name="no-jitter",
        promise=4,
        does="all that failed together comes back together",
        file="common/domain/retry.py",
        old="return delay * (1 + self.jitter_fraction * random_unit)",
        new="return delay",
        tests=("tests/unit/domain/test_retry.py::test_jitter_adds_up_to_half_the_delay",),
    ),
    Mutant(
        name="breaker-with-two-probes",
        promise=4,
        does="two callers find out at once whether a system is back",
        file="common/storage/breakers.py",
        old="row = connection.execute(select(breakers).where(*_key(customer_id, system)).with_for_update())",
        new="row = connection.execute(select(breakers).where(*_key(customer_id, system)))",
        tests=(
            "tests/contract/storage/test_breakers.py::"
            "test_a_caller_who_looked_too_early_waits_for_the_row_and_finds_the_probe_out",
            "tests/contract/storage/test_breakers.py::test_of_many_callers_at_once_exactly_one_is_the_probe",
        ),
    ),  # fmt: skip
    Mutant(
        name="late-success-closes-the-breaker",
        promise=4,
        does="an answer to a request of before ends the opening",
        file="common/domain/breakers.py",
        old="return CLOSED if breaker.state is BreakerState.CLOSED or _is_out(breaker, probe) else breaker",
        new="return CLOSED",
        tests=("tests/unit/domain/test_breakers.py::test_only_a_passing_request_or_the_probe_that_is_out_closes",),
    ),  # fmt: skip
    Mutant(
        name="breaker-never-opens",
        promise=4,
        does="a system in trouble is asked on and on",
        file="common/domain/breakers.py",
        old="return failing if failing.failures < policy.failures else",
        new="return failing if failing.failures < policy.failures * 1000 else",
        tests=("tests/unit/domain/test_breakers.py::test_failures_in_a_row_open_and_a_failed_probe_opens_for_longer",),
    ),  # fmt: skip
)
