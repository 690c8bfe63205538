"""What must happen, one kind of job per file; `worker.py` runs them."""
