"""The one way to take JSON apart: strictly, with its defects, or leniently."""
