"""Networks, telephone numbers and sender ids."""
