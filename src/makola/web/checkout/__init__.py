"""The page at which a customer pays: what is bought, how to pay, and what came of it. It knows no sign-in."""
