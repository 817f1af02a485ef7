"""What is done to the fleet. An attack takes the stage, its own random numbers and its seconds; it ends what it began,
also when it fails, and gives the wounds it made.

    killing    SIGKILL again and again; SIGSTOP past every deadline    redis     emptied; killed with a torn log
    database   restarted, sessions cut, connections used up, rows held                network   all that a proxy can do
    surroundings   failing and lying APIs, stepped clocks, full disk                  registry  all of them, by name
"""
