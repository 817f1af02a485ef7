"""The poller: detects changes at the source and publishes them. It knows nothing of what happens to them.

app        the Celery app (`celery -A poller.app ...`)   runs       the loop: one pass over (customer, resource)
bootstrap  the composition root                          detectors  what yields pages of changes
tasks      poll and sweep                                sources    connectors, one folder each
schedule   beat: who is polled when                      sweep      says again what Redis forgot
failing    runs that fail in a row pause the customer    resting    pauses that end by themselves
walking    runs over what is read scope by scope         scanning   full scans: what is gone
backpressure  a full backlog holds runs back             announcing deliveries for committed pages
"""
