"""The switch: channels, sessions, events, variables, time and the registries that modules fill."""
