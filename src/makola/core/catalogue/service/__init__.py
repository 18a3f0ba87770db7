"""What may be done with the catalogue: one module for each kind of thing."""
