"""The processor's part of the three-way check: what the destination should hold, what it holds, and where these differ.

expected    what should be there of a record: handler and mapping, as for an event
reading     what is there: the connector's list, all of it or what was modified since; or record by record
unlinked    what is there as ours, and no link leads to
comparing   both as hash trees, and the very records that differ

Nothing here writes to the destination. What is there is remembered record by record, so that the next check reads only
what has changed; and what is said to be absent was asked for by its id, as far as that is worth the requests.
"""
