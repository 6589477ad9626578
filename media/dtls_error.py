"""What goes wrong when keys are agreed on by DTLS."""


class DtlsError(ValueError):
    """A handshake that failed, a certificate that is none or somebody else's, or no library for them."""
