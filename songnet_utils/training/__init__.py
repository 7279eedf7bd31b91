"""Training: fit a network, keep the run and its record, go on from another run."""
