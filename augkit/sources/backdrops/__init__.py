"""What is behind a car: chroma green, and the scenes that a car on green is pasted onto."""

ANY = -1
"""Stands for the class of a scene that suits all classes."""
