"""Handlers: the business decision for one event, one plain function per resource. No HTTP, no SQL, no Celery."""
