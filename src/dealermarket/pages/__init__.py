"""Pages: HTML that needs nothing but itself, with the tables and the pictures in it; those of a desk's data are made here."""
