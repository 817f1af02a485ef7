"""One customer's client of one system."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import tenacity
from pydantic import SecretStr

from common.domain.clock import Clock
from common.domain.errors import PageUnreadable, RateLimited, SystemUnavailable, UnknownOutcome
from common.domain.limits import Budget, BudgetPolicy, Share
from common.http.answers import Answer
from common.http.verdicts import error_of, error_of_failure
from common.metrics.catalogue import Metrics

#: A connection that takes longer will not come.
CONNECT_TIMEOUT_SECONDS = 5.0
#: An answer larger than this is not one of these APIs': at 1,000 contacts a page they stay under 5 MB.
LARGEST_BODY_BYTES = 32 * 1024 * 1024
#: A read is tried once more at once: most dropped connections are idle ones that the other side closed.
READ_ATTEMPTS = 2
#: Below the 5 s after which common servers close an idle connection, so that we are the ones who do.
KEEPALIVE_SECONDS = 2.0


def make_transport(deadline_seconds: float) -> httpx.Client:
    """The process's connection pool, shared by all customers: tokens go with each request, never with the pool."""
    return httpx.Client(
        timeout=httpx.Timeout(deadline_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, deadline_seconds)),
        limits=httpx.Limits(max_connections=200, keepalive_expiry=KEEPALIVE_SECONDS),
        follow_redirects=False,
        trust_env=False,
    )


class ApiClient:
    """Requests of one customer to one system: each takes from the budget, ends by the deadline, and gives an Answer."""

    def __init__(
        self, *, transport: httpx.Client, base_url: str, token: SecretStr, customer_id: str, policy: BudgetPolicy,
        share: Share, budget: Budget, clock: Clock, metrics: Metrics, deadline_seconds: float,
    ) -> None:  # fmt: skip
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._customer_id = customer_id
        self._policy = policy
        self._share = share
        self._budget = budget
        self._clock = clock
        self._metrics = metrics
        self.deadline_seconds = deadline_seconds

    def read(
        self, route: str, *, query: Mapping[str, str] | None = None, accept: Collection[int] = (),
        method: str = "GET", body: Any = None, names: Mapping[str, str] | None = None, url: str | None = None,
    ) -> Answer:  # fmt: skip
        """A request that changes nothing: tried again once if no answer came."""
        again = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(READ_ATTEMPTS),
            wait=tenacity.wait_random(0.05, 0.25),
            retry=tenacity.retry_if_exception(_no_answer),
            reraise=True,
        )
        return again(self.send, method, route, query=query, accept=accept, body=body, names=names, url=url)

    def send(
        self, method: str, route: str, *, query: Mapping[str, str] | None = None, accept: Collection[int] = (),
        body: Any = None, names: Mapping[str, str] | None = None, url: str | None = None,
    ) -> Answer:  # fmt: skip
        """One request. `route` is a template whose `names` are filled in; statuses in `accept` are answers, not errors.

        Raises what `common.http.verdicts` says, or BudgetExhausted before anything is sent.
        """
        where = f"customer {self._customer_id}: {self._policy.system}: {method} {route}"
        if url is not None and not url.startswith(self._base_url + "/"):
            # The token goes with the request: a link in an answer may not lead it to another host.
            raise PageUnreadable(f"{where}: a link leads away from the account's own address")
        self._budget.acquire(self._customer_id, self._policy, self._share)
        answer = self._exchange(method, url or self._url(route, names or {}), query, body, where)
        self._metrics.http_requests.labels(self._policy.system, f"{answer.status // 100}xx").inc()
        self._budget.learn(self._customer_id, self._policy, answer.rate_hints())
        error = None if answer.status in accept else error_of(answer, where, self._clock.now())
        if isinstance(error, RateLimited):
            # Whatever else runs for this customer, in any process, keeps to it too.
            self._budget.close(self._customer_id, self._policy, error.until)
        if error is not None:
            raise error
        return answer

    def _url(self, route: str, names: Mapping[str, str]) -> str:
        return self._base_url + route.format(**{name: quote(value, safe="") for name, value in names.items()})

    def _exchange(self, method: str, url: str, query: Mapping[str, str] | None, body: Any, where: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}", "Accept": "application/json"}
        try:
            with self._transport.stream(method, url, params=query, json=body, headers=headers) as response:
                content = self._read_within_deadline(response, where)
                return Answer(status=response.status_code, headers=dict(response.headers), body=content)
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            self._metrics.http_requests.labels(self._policy.system, "none").inc()
            raise error_of_failure(failure, where) from None

    def _read_within_deadline(self, response: httpx.Response, where: str) -> bytes:
        """Httpx bounds each read; a slow trickle of bytes is bounded here."""
        deadline = self._clock.monotonic() + self.deadline_seconds
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if self._clock.monotonic() > deadline or len(content) > LARGEST_BODY_BYTES:
                raise UnknownOutcome(f"{where}: the answer did not end within {self.deadline_seconds:g} s or 32 MiB")
        return bytes(content)


def _no_answer(error: BaseException) -> bool:
    return isinstance(error, UnknownOutcome) or (isinstance(error, SystemUnavailable) and not error.sent)
