"""Pretrained encoders by name."""
