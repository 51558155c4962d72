"""File formats: annotations, masks, metainfo and meshes, read strictly and written whole."""
