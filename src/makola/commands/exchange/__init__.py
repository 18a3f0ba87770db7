"""`makola import` and `makola export`: files of rows in, files of rows out (docs/reference/import.md)."""
