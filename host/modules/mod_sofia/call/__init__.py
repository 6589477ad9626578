"""Calls: their legs, dialogs and media, offers within them, and transfers."""
