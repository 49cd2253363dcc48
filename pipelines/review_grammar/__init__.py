"""The grammar that writes the built-in reviews: `compose` has the rules and the labels, the other modules the words."""
