"""Calendars that several set-ups of the tests share."""

ALWAYS = """
[calendar.always]
zone = "UTC"
[calendar.always.week]
mon = ["00:00-24:00"]
tue = ["00:00-24:00"]
wed = ["00:00-24:00"]
thu = ["00:00-24:00"]
fri = ["00:00-24:00"]
sat = ["00:00-24:00"]
sun = ["00:00-24:00"]
"""
