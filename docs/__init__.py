"""Documentation: Markdown for people, and ``tables`` that keeps it true to the code."""
