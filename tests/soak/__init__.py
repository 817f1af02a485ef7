"""The soak: a fleet of real processes under steady edits and mild faults for as long as is wanted, and what it uses.

    story      the run: onboarding, edits with faults, samples, quiet, audit     weather   the faults, seeded
    sampling   one sample of everything, from                                    processes, database, broker, slots
    trend      slopes by Theil-Sen, quarters, sparklines: pure                   bounds    what may grow by how much
    judging    series beside bounds, and the verdict: pure                       printing  the table and the JSON

`python -m soak --minutes 60` (with `tests` on the path; `make soak MINUTES=60`). Exit code 0 for PASS, 1 for FAIL.
"""
