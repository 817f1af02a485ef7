"""The stand-in for the Virtuous CRM+ API: contacts, the held import, queries and sub-resources."""
