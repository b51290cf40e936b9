"""From an importer's samples to a workspace: canonical pairs, classes, splits, the catalogue."""
