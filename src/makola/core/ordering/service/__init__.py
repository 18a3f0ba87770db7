"""What may be done with baskets and orders, a module per use case."""
