"""What has to be done from time to time, by one mqtt process at a time."""
