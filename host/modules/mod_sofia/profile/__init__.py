"""Profiles: their configuration, their addresses, and what runs of them."""
