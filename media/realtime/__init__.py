"""The media engine in a process of its own, so that scripts cannot delay sound."""
