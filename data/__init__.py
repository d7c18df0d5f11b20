"""Getting the data: AwA2 photos, MultiNERD sentences, and the sample photos in ``samples/``."""
