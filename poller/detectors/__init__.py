"""Detectors: what yields changes. They differ in how they read the source, and in nothing else.

    incremental   Style.MODIFIED   a list with a filter by time of change: from the checkpoint, minus an overlap
    cursor        Style.CURSOR     changes since a cursor of the source's own, deletions among them
    walk          Style.SCOPED     lists without either: each is read whole when it is due, and compared
    full          every style but SCOPED: all there is, once a week, and after a cursor has expired

A new source picks, for each resource, the first of these that its API keeps the promise of. CURSOR, if the API can give
the cursor of now, tells *every* change after it in the order of its commits (a list by time with an opaque page address
is no such thing), and says when it has forgotten a cursor. MODIFIED, if every change moves a time that can be filtered
by, an answer tells how many match in all, and late commits come within the overlap. SCOPED otherwise: it trusts nothing
but a whole list. CURSOR and MODIFIED need the list of all there is as well, with its total, for the full scan; and
where a record can be asked for by its id, `ResourceTerms.one` makes one scan enough to be sure that it is gone.
"""
