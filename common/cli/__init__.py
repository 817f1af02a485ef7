"""The operators' command line, `fleet`. It asks and tells; what happens is decided by the stores and the workers.

    main        the list of commands; errors become one line     bootstrap    what commands use, built when first needed
    up          the whole fleet on one machine                   onboarding   add a customer: check, verify, store, poll
    additions   customers add, customers token                   entries      a customer as somebody wrote it down
    customers   customers list, show, pause, resume              checks       what is wrong with a configuration
    status      the live table (its lines: `standing`)           verification one cheap call to prove a token
    runs        runs list, runs show; `history`: events          tokens       tokens from files and hidden prompts
    letters     dlq list, show, replay, discard                  failures     errors as lines for a person
    work        poll, migrate                                    output       tables for people, JSON for programs
    changes     customers set                                    offboarding  customers offboard, and the way back
    schedule    who is read when, and whether a beat leads
    audit       the proof, and its exit code                     ages, moments, options  words that all of them share
    deletions   deletions list, approve, reject                  reconciliation  reconcile: read again, or all there is
    throttle    slow a system down; the table keeps who and why
    credentials try stored tokens, end what blocked them         troubles     systems that may not be asked, the mend
    exporter    depths and ages for Prometheus                   sandbox_customers  for `fleet up --sandbox`

Tokens never come as arguments, for arguments show in the process list; and no command prints one. Every action that
changes something is written to the table `audit`. A hint to the workers that cannot be published is told, not
fatal: the sweep repeats it.
"""
