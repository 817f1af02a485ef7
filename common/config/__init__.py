"""Settings, read from the environment once, at boot, by `bootstrap`, `app` and the command line only."""
