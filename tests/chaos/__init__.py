"""Chaos: a whole fleet of real processes, attacked by a seeded plan while its customers' records change all the time.

After every attack the killed work must be taken up again within ten seconds; after every round the fleet must come to
rest, and the auditor, which stands outside the product, must find nothing.

    __main__    `python -m chaos --seed 7 --minutes 10`     plan       the rounds: a pure function of seed and minutes
    customers   who is attacked, and the fleet's cadences   stage      servers, sandbox and fleet, for a `with` block
    processes   restart at once; sockets of a process       load       hot entities, a deep one, edits of the others
    attacks/    what is done to the fleet                   wounds     what an attack interrupted, and when it went on
    holding     who holds which advisory lock               rest       until nothing is under way, then the audit
    game        plays the plan, round by round              outcome    the table, the JSON, PASS or FAIL
    broken      starts a process with a planted bug: chaos must catch it
"""
