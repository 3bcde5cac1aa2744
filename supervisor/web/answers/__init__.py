"""What the API answers, as published in its description; additive changes are free.

Each model says how it is made from the snapshot or from a record: nothing is decided here.
"""
