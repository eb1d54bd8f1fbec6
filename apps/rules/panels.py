"""What the rules show on the pages of others."""
