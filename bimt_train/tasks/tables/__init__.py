"""Tables of a user's own: read, checked, and made a task or rows to ask a network about."""
