"""Animals in photos: a ResNet50 with a head over the 50 classes of AwA2, or over your own."""
