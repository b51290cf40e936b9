"""From pictures back to latents: an encoder's guess, its refinement with G frozen, and blends of what was found."""
