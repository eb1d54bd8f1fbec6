"""Where documents lie, and what they must be before they lie there."""
