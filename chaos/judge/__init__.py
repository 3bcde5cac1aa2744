"""From what was seen to a verdict, pure: ``checks/`` find, ``verdict`` concludes by one rule."""
