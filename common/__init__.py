"""What the packages share: command lines, configuration, training loop, losses and statistics."""
