"""Deciding: regulations, clocks, calendars and assignment. The pure part imports neither storage nor network."""
