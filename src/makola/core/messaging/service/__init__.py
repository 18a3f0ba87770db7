"""What may be done with messages, one use case in each file."""
