"""`make bench-layers`: what the layers cost at a million records, and what a poll costs that finds nothing.

    scan      a full scan: first load, nothing changed, 1 % changed and 0.1 % gone
    daily     reconciliation: 1 % of the mirror read again
    polls     polls without a change, against the sandbox
    people    a pretended source of any size        reader    the poller's process that does the reading
    filling   a mirror of any size, put there       reading   starts the reader

`verify` (requests when 0, 1 and 1 % of the records differ) has its line in `__main__`, once it is there.

The reader is the poller as its composition root makes it, in a process of its own, over real PostgreSQL and Redis; only
the source is pretended, and costs the reader what making its records costs. Memory is the highest the process ever had
(VmHWM), all of Python and its libraries included. Everything runs on this one machine, whose cores reader and servers
share: a figure is only good beside another of the same run, so ratios are shown too.
"""
