"""What poller and processor share. Each folder is one named responsibility; there is no `utils`.

    domain       words and rules; standard library only          queueing   Celery and kombu live here, and nowhere else
    config       settings, read once at boot                      limits     request budgets
    storage      PostgreSQL: tables, migrations, stores, locks    http       a status becomes an error here only
    credentials  tokens, encrypted under a key per customer       metrics    one catalogue, and the exporter
    logs         structured logging without personal data         cli        the `fleet` command

Siblings take collaborators as constructor arguments and do not reach for each other's settings.
"""
