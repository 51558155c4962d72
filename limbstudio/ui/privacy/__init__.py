"""What others may not see on the screen: names hidden, faces blurred, everything covered."""
