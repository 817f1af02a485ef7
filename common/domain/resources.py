"""The resources there are: what a source lists, and what events, links and settings are named after."""

from __future__ import annotations

USERS = "users"
PROJECTS = "projects"
#: The dates ("happenings") of projects; people take part in a date, never in a project.
PROJECT_DATES = "project_dates"
#: One person on one date, or on an Anytime project: sign-up, check-in, hours.
PARTICIPATIONS = "participations"
GROUPS = "groups"
GROUP_MEMBERS = "group_members"
CAMPAIGNS = "campaigns"
ORGANIZATIONS = "organizations"
FORMS = "forms"
FORM_COMPLETIONS = "form_completions"
#: Definitions; who earned one is an EARNED_CERTIFICATE.
CERTIFICATES = "certificates"
EARNED_CERTIFICATES = "earned_certificates"
GIFTS = "gifts"
