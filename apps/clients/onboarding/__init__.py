"""Pure core: which questions a client gets, and whether an answer will do. No Django, no I/O
beyond reading the schema files that it is handed."""
