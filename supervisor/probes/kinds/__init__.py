"""The kinds of probe, one module for each: ``probe`` is the contract that all of them keep."""
