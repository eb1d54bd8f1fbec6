"""Around the pure core: rebuilding its state, storing its decisions, running its loop inside a Celery worker."""
