"""Mutation of the promises: bugs that somebody might write, planted one by one, each of which the suite must catch.

    mutant    one planted bug, as data           copies   a copy of the tree, and planting in it
    bugs/     the bugs, a module for each promise  trials   tests run in a copy, and what they said
    catalogue all of them by name                judging  caught, survived, or an error; and the control
    printing  the table, the JSON                __main__ the command

The product has no switch for any of this: a bug is planted by replacing text in a copy, which is thrown away. A bug is
caught if a test fails with it that passes without it, and not because something could not be imported.
"""
