"""Requests and responses: sent, sent again, answered, once each (RFC 3261 section 17)."""
