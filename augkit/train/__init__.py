"""Training: the one loop, its hooks and checkpoints, and one builder a trainable thing."""
