"""Virtuous CRM+: imports that answer without an id, direct writes that are done at once, an hourly limit per request.

`client` gives each write to the shape of its resource:

people         users, as contacts with an individual
opportunities  projects and their dates
attendances    participations, as sign-ups and hours
labels         groups and certificates, as tags that somebody has made
labelled       memberships, as the tag on a contact
earned         earned certificates, as the tag and a note
notes          form completions, as notes and custom fields
gifts          gift transactions

The other modules serve these; `costs` and `cases` say what it all costs. The map of them, the settings and what nobody
knows of the API: README.md.
"""
