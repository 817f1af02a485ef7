"""Virtuous CRM+: imports that answer without an id, direct writes that are done at once, an hourly limit per request.

client    creates, updates and look-ups, in as few requests as the API allows
payloads  bodies from a person
contact   a contact as the API shows it, and what in it differs from a person
settings  what a customer may configure
"""
