"""From settings to drills: the guard, and one run."""
