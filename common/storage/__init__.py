"""PostgreSQL: where truth lives.

    engine      connections                                 customers     the customers table
    tables      every table, keyed by customer_id first     detection     what the poller's loop keeps (and the outbox)
    migrations  alembic; `schema.upgrade` applies them      delivery      what the processor's slice keeps
    locks       session advisory locks                      dead_letters  list, replay, discard
    memory      in-memory twins of both stores              overview      what operators read: status, runs, due work
    keys        data keys and ciphertexts                   usage         the durable side of budgets
    throttles   systems slowed down by a person's word      breakers      systems in trouble, and those that reject us
    backlog     how many events of a customer wait
    due         when an event may be applied                again         put a state into the outbox once more

Each store method is one transaction, and takes `now`: no SQL asks the database for the time.
Locks are session advisory locks, so the URL must not lead through a transaction-pooling proxy.
"""
