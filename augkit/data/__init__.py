"""Real pairs: importers, the canonical crop, the catalogue, splits, classical augmentation, rendered cars."""
