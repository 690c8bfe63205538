"""The operators' and managers' web desk, one screen per file."""
