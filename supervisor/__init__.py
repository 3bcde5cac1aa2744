"""Understudy around the drill engine: settings, audits, the daemon, its service, the commands."""
