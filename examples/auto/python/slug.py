import re


def slug(title):
    """The title as a part of a URL."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
