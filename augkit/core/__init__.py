"""What everything stands on: errors, registries, seeds, classes, parts, the workspace, storage."""
