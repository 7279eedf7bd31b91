"""Figures: accuracy, confidence intervals, McNemar's test, calibration."""
