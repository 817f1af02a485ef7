"""Virtuous Volunteer (VOMO): pages of 15, inclusive time filters, hard deletes, types that drift.

client     one page, one request
translate  an item as VOMO gives it to a canonical record
"""
