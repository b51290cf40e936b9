"""Where pairs come from beside labels: rendered cars, silhouettes, backdrops."""
