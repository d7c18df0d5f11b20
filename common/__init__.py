"""What the models share: a folder for each job."""
