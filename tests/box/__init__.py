"""The service on fresh Debian machines, booted for the tests (``make test-box``)."""
