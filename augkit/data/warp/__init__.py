"""Photos moved onto other masks: the part warp, and the cycle warp that training imitates it with."""
