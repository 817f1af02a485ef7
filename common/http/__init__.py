"""HTTP to the systems we sync: the budget before, the deadline during, the verdict after.

client     one request: budget, send, read within a deadline, map the answer to an error
answers    what an answer said, parsed without trusting it
verdicts   the only place in the product where a status becomes an error
"""
