"""Facts about people, photos and limbs: frozen records that import nothing but the standard library and numpy."""
