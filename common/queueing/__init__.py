"""Celery, kombu and the keys in Redis: nothing outside this package (and the two `app` modules) imports them.

    names         task and queue names            hot_set       which customers' queues a worker should consume
    celery_app    one configuration for both apps  deliveries    put a hint on a customer's queue
    tasks         the only way to declare a task   polls         ask for a poll
    subscription  the worker step that follows the hot set       inspection  what Flower is told
    watchdog      a worker that goes quiet exits   once          built when first needed, once per process
    routing       where a task goes that a person calls by name

A message is a hint that there is work; the work itself is in PostgreSQL. The Redis transport may lose a message, repeat
it, or deliver it twice at once, and nothing here minds.
"""
