"""Background work in the window: the queue, what the computer has left, and batches over photos."""
