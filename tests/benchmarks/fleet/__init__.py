"""`make bench-fleet`: what the fleet costs at up to 10,000 customers, and whether it is fair and within its limits.

    beat        how late turns are published, and beat's CPU    figures     numbers, targets, median and spread
    deliveries  the cost of a delivery by number of queues      printing    tables and JSON
    idle        what a worker with nothing to do costs          arithmetic  percentiles, sliding windows, turns
    budgets     violations and use of limits over 8 processes   stage       PostgreSQL, Redis and processes for one run
    onboarding  from `fleet customers add` to the first run     accounts    customers and events by the thousand
    fairness    a flood's and a slow destination's neighbours   messages    deliveries by the thousand
    noop, drain a worker whose deliveries do nothing            destination a stand-in CRM+ with a fixed latency

Servers are real, and durable as in production; all run on this one machine, whose cores the measured and the measuring
share. So a figure is only good beside another of the same run: what is compared takes turns, round by round, and the
median over the rounds is shown with the lowest and the highest.
"""
