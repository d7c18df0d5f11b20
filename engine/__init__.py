"""Answering: one pair, a table of pairs, a cluster."""
