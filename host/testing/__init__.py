"""A caller without a phone: scripts run against it in virtual time, on the command line and in pytest."""
