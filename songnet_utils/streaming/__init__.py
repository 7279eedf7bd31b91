"""Networks that answer while a song plays: time, receptive fields, layers with state."""
