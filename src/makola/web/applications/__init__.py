"""Pages of applications: made and edited by their owners, reviewed, found in the directory, installed."""
