"""VOMO's items to canonical records. Tolerant of spelling, strict about what a record cannot do without.

fields          reads fields of one item; every complaint names customer, resource, field and mend
times, numbers  the spellings of a time, a day, a whole number, hours, a truth
addresses       one line, however an address comes
items           items of a list, each apart: what cannot be read spoils no other
users ...       a module each for what belongs together; facts: volunteer-api 1.4 to 1.8

Unknown fields stay in the raw item, and unknown values of an enum are kept.
"""
