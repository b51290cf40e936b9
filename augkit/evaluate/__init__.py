"""How good masks, photos, the gate and the pairs are: one file a question."""
