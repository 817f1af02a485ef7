"""Virtuous Volunteer (VOMO): pages of 15, inclusive time filters, hard deletes, types that drift.

client            one answer, one request; `routes` says which, `lists` and `details` read it
translate         items as VOMO gives them to canonical records
cadence           when a scope is read again; `distance` how far a date is
plan, estimate    where participations are read, and what all of it costs
counting          how large the account is; `planning` makes the choice of that
settings          a customer's `source_settings`
"""
