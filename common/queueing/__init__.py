"""Celery, kombu and the keys in Redis: nothing outside this package (and the two `app` modules) imports them.

    names         task and queue names            hot_set       which customers' queues a worker should consume
    celery_app    one configuration for both apps  deliveries    put a hint on a customer's queue
    tasks         the only way to declare a task   polls         ask for a poll
    transport     takes deliveries in turn         lanes         which lanes a worker serves
    watchdog      a worker that goes quiet exits   once          built when first needed, once per process
    routing       where a task goes that a person calls by name  inspection  what Flower is told

A message is a hint that there is work; the work itself is in PostgreSQL. The Redis transport may lose a message, repeat
it, or deliver it twice at once, and nothing here minds.
"""
