"""axe-core on the page that is open."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page as Tab


def violations(tab: Tab) -> list[str]:
    """What axe-core finds on the page that is open: rule, place and reason."""
    found = Axe().run(tab).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:100]} "
        f"{(node['any'] or node['all'] or node['none'])[0]['message']}"
        for rule in found
        for node in rule["nodes"]
    ]
