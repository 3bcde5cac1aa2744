"""Which version this is."""


def installed_version() -> str:
    """Tell our own version; ``unknown`` when run from a tree that is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("understudy")
    except PackageNotFoundError:
        return "unknown"
