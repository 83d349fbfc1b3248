"""Real servers for tests: each starts on first use, once a session, on loopback and a random port, and ends by its pid."""
