"""Reading photos and preparing them for a network."""
