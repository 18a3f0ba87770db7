"""The catalogue: products, what each tier pays for them, and the documents that are answered."""
