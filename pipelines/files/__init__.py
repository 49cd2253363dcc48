"""Files of the user's own: read row by row, with the place of whatever cannot be read."""
