"""Queries by subject: each file owns the reading and writing of one kind of row."""
