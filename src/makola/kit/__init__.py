"""What every domain needs and none owns: no domain words in here."""
