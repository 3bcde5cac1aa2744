"""What an engine has to show before it is accepted, gate by gate."""
