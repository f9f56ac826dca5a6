"""The embedded AWS (moto made honest) and the demo that runs the whole worker on it."""
