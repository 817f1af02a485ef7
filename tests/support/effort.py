"""How hard the models are tried: the same stories on every run, or a long run of new ones.

`HYPOTHESIS_PROFILE=long` (`make models`) tries a hundred times as many, at random, and with longer stories; what it
finds is printed as the shortest story that fails, with the line that repeats it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

VARIABLE = "HYPOTHESIS_PROFILE"
#: How many times as many examples, and as many steps in each, a long run makes.
LONG_EXAMPLES, LONG_STEPS = 100, 2


def is_long() -> bool:
    """Raises ValueError for a profile that there is not."""
    profile = os.environ.get(VARIABLE, "")
    if profile not in ("", "long"):
        raise ValueError(f"{VARIABLE}={profile!r}: there is one profile, 'long'; leave it out for the usual one")
    return profile == "long"


def effort(examples: int, steps: int = 30) -> settings:
    """`examples` of at most `steps`; of a machine without rules the steps mean nothing.

    Without the phase that explains: it runs a counterexample again and again to say which values do not matter.
    """
    long = is_long()
    return settings(
        max_examples=examples * (LONG_EXAMPLES if long else 1),
        stateful_step_count=steps * (LONG_STEPS if long else 1),
        derandomize=not long,
        print_blob=long,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.target, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


def try_out(machine: Callable[[], Any], *, examples: int, steps: int = 30) -> None:
    """Run stories of a machine that is made anew for each."""
    run_state_machine_as_test(machine, settings=effort(examples, steps))
