"""Sound without channels: sources, sinks, detectors, mixing, and the engine that plays them."""
