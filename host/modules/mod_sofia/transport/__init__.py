"""How messages come and go: the SIP thread, sockets, framing, what guards them, and where a name leads."""
