"""Fetch FMA's archives, whole or only some clips of them."""
