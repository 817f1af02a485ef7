"""The auditor: says whether the fleet kept its promises, from the sandbox's own state and journal alone.

It stands outside the product on purpose. It imports the standard library, httpx and rich, nothing of ours, and it reads
none of our tables: what the product believes is exactly what is in doubt. So the mapping of a user to a contact is
written down here a second time.

    run        `audit(url)`: read, judge, report        __main__   `python -m deploy.audit --sandbox URL`
    reading    the evidence, of one moment              parsing    JSON to the types of `model`
    seals      whether the journal was tampered with    explained  whether the state follows from it
    mapping    what a contact of a user must look like  versions   the values a field had, in order
    presence   missing, wrong, doubled contacts         order      never back to an older value, never two at once
    facts      what else the source has                 shown      what else the destination shows
    agreement  opportunities, hours, tags and notes as they must be
    turns      order of what is no contact              courses    the versions that opportunities and notes told
    doubles    notes, tags, hours, gifts made twice     mixing     canaries and tokens of another customer
    budgets    requests in any window                   freshness  from an edit to its arrival
    report     rows, findings and the verdict           render     the table

`leaks` is a part of its own, for it looks at our processes' traces: `python -m deploy.audit.leaks`.
"""
