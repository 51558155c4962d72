"""Keys for every hand: which keys are in force, the profiles, other keyboard layouts, switches and the editor."""
