"""Ways an upstream fails: ``fault`` is the contract, ``script`` is played, ``kinds/`` the list."""
