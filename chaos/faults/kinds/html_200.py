"""A 200 that is a web page."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.script import Head, Script, Send

PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head><title>Scheduled maintenance</title></head>
<body><h1>We will be back soon</h1><p>This service is being maintained.</p></body>
</html>
"""


class Html200(Fault):
    """Something before the provider answers with a page of its own, and calls it success.

    So do captive portals, login pages of corporate proxies, and maintenance pages.

    Source: general knowledge, not confirmed by a public source.
    """

    name = "html_200"
    summary = "A 200 whose body is a web page."
    phase = Phase.IN_2XX

    def script(self, scene: Scene) -> Script:
        """Answer with the page."""
        del scene
        return Script((Head(200, (("content-type", "text/html; charset=utf-8"),)), Send(PAGE)))
