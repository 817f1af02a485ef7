"""Request budgets over all processes: a sliding window in Redis, counted by a script on the server's clock.

`budget.RedisBudget` is the real one; `memory.MemoryBudget` its twin for tests and simulations. Both pass one suite.
"""
