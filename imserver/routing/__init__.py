"""From a session to the others."""
