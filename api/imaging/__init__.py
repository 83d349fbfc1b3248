"""Images for clients: whose they are to see, where they lie, and in which form they go out."""
