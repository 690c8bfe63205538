"""Alembic's folder: every change of the tables, from day one."""
