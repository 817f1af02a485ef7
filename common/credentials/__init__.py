"""Tokens, encrypted under a data key of each customer's own, which a master key wraps. Opened in memory only."""
