"""The API commands of the module, and what they print."""
