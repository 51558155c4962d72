"""The living body: it follows a dragged point, fits by itself where asked, and is compared with earlier fits."""
