"""The commands of `makola`, one module for each group."""
