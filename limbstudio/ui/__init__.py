"""The window: it asks the services and shows what they answer."""
