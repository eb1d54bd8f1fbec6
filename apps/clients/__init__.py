"""Who a client is, where they are booked, what they agreed to and what they may not do."""
