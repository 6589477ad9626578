"""Session descriptions (SDP) and their offer/answer model: values in, values out."""
