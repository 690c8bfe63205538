"""REST API, one resource per file."""
