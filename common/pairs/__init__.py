"""Answering pairs of text and photo, whatever model answers."""
