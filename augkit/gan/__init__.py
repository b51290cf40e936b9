"""What one training step consists of: batches, players, terms, and the games they play."""
