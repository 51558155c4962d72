"""Help where it is needed: a card on every tool, a definition of every point, and a tour of the window."""
