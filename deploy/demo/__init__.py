"""The demonstration: the whole fleet at its real job against the sandbox, disturbed on purpose, and audited at the end.

It proves to a stranger, in three minutes and on two cores, what the product promises. It starts what production starts,
onboards customers as an operator would, and learns how things stand from the sandbox only, never from our tables.

    __main__    `python -m deploy.demo`            plan        the customers, the cadences and the faults, as data
    fleet       servers, sandbox and processes     onboarding  customers and tokens, by the product's own code
    story       the phases, one after the other    watching    how far the destination is behind, by the export
    progress    a live display, or plain lines     outcome     what is printed at the end
"""
