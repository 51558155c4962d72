"""What runs, remembers and stores the work of the methods; without Qt."""
