"""Whether this machine and this configuration can drill, item by item."""
