"""Figures of a contact centre: counts in, figures out. Pure but for `reading`, which asks the log for the counts."""
