"""The stand-in for the VOMO Volunteer API: state, spelling, paging and endpoints."""
