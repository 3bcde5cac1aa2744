"""The daemon's API and page: what can be asked of it, and who may ask.

application   the routes, who may come in, and where it listens
endpoints/    what can be asked, by subject
world         the daemon, as the API sees it
"""
