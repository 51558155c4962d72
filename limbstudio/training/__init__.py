"""Training and learning: what makes the numbers in resources, and the networks. Methods never import this room."""
