"""The processor: applies events to the destination. It knows nothing of how they were detected.

app        the Celery app (`celery -A processor.app ...`)    delivery  one delivery: take a slice and apply it
taking     free partitions, until they fill a request        answers   what an answer makes of event, write and link
identity   new, known there already, or for a person to see
bootstrap  the composition root                              pipeline  from events to writes, without I/O
tasks      deliver                                           steps     what may end an event before it is written
handlers   the business decision, one per resource           sending   requests, and what their errors lead to
verdicts   from an error to an action; pure                  looking   writes whose outcome is not known
destinations  connectors, one folder each                   slices    what the parts of a slice share
guarding   every request is watched by the breaker
"""
