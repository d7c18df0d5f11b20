"""The training loop, its run folder, losses and processes."""
