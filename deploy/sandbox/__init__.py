"""Stand-ins for the VOMO Volunteer API and the Virtuous CRM+ API, in one HTTP process.

The sandbox keeps many organizations in memory and imitates what makes the two live services hard to synchronise: loose
types, unstable pages, hard deletes, held imports, small budgets and failures at the worst moment. It keeps a journal of
every request and a history of every edit, so that a test can prove what a client did. It imports nothing else of ours.

    world          everything there is: organizations, journal, faults, edit stream
    application    the ASGI app; `gate` is what each API request passes through
    volunteer/     the source API          crm/   the destination API
    admin          the test's own surface   client, process   how a test drives it
"""
