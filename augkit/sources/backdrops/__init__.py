"""What is behind a car: chroma green, and the scenes that a car on green is pasted onto."""
