"""A teacher at work: it reads the parts of a photo, finds the car in it, and says how sure it is."""
