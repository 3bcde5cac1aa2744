"""What was proven when: the states of paths, and what is rehearsed next. Pure.

rehearsed    which paths a gateway has, and which faults take turns on each
ledger       one path's record, and how it changes with a drill, a setting, or time
freshness    when a path is due, late and stale
risk         how urgent a path is, in a number and in words
"""
