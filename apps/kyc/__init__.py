"""Knowing the customer: cases, documents, checks and the decision on them."""
