"""What the desk's screens read: one subject per file, each function one or a few indexed queries on a connection."""
