"""What cannot work, one question a file."""
