"""When the daemon looks at its ledger: jobs that only wake it, and decide nothing."""
