"""The daemon's API: ``contract.md``, "Daemon".

application   the routes, who may come in, and where it listens
endpoints/    what can be asked, by subject
world         the daemon, as the API sees it
"""
