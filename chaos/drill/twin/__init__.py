"""What a twin is started from, and how its drills share it."""
