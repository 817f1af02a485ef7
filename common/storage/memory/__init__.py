"""In-memory twins of the stores and locks: for fast tests, simulations and trying the product out without servers.

    tables     the state that the stores share; a transaction happens whole or not at all
    detection  what the poller's loop keeps      customers  the customers table
    delivery   what the processor's slice keeps  locks      exclusive ownership between instances in one process

One suite, `tests/contract/storage`, holds them and the PostgreSQL ones to the same rules.
"""
