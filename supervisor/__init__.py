"""Understudy around the drill engine: settings, audits, the command line and, later, the daemon."""
