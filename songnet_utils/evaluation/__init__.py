"""What a network is worth: comparisons, reports, error analysis, leakage."""
