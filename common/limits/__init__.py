"""Request budgets over all processes: a sliding window in Redis, counted by a script on the server's clock.

`budget.RedisBudget` is the real one; `memory.MemoryBudget` its twin for tests and simulations. Both pass one suite.

    acquire.lua  take one request     learn.lua   adopt what headers tell     close.lua  Retry-After, for all processes
    witness      notices that the server's clock was stepped                look.lua   compare clocks only

A request passes if all use of the window, its own included, stays within
floor(limit x share x throttle of the system x throttle of the lane), and at least 1 unless a throttle is 0.
"""
