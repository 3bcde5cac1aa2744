"""What drills ask: ``shape`` is the contract, ``shapes/`` the list."""
