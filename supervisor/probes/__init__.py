"""The probes, each a look at one part of the running system.

To add one: in a new file (or folder) here write an async function that returns what
``supervisor.probe`` describes and never raises; its steps say what they prove.
"""
