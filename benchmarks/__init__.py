"""Quality and speed, measured against what a user would pick instead."""
