"""The console and the command line's thin clients, all of which attach to a running server by its event socket."""
