"""Splitting texts into words and windows with exact character offsets."""
