"""Helpers for every floor: atomic files, helpful errors, quiet libraries."""
