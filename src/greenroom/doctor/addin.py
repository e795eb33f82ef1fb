"""The add-in's host as Outlook sees it: the manifest that is served, and the headers without which Outlook shows nothing."""

import asyncio

from greenroom.addin.manifest import ManifestSettings, manifest_name, write_manifest
from greenroom.doctor.contract import Check, Finding
from greenroom.doctor.fetching import Page, fetch
from greenroom.doctor.findings import About
from greenroom.settings import Integration
from greenroom.web.addin_headers import OUTLOOK_HOSTS

NAME = "addin"
_OK = 200
WHY = "Outlook shows no button, or an empty pane, without it."


def addin_check(entry: Integration, manifest: ManifestSettings, needs: tuple[str, ...]) -> Check:
    """Make the check of one integration's add-in; `manifest` is what its manifest should say by the configuration."""
    base = f"{manifest.public_url}/addin/{entry.number}"

    async def look() -> list[Finding]:
        manifest_url = f"{base}/manifest/{manifest.profile.value}.xml"
        served, page = await asyncio.gather(fetch(manifest_url), fetch(f"{base}/taskpane.html"))
        return [judge_manifest(entry, manifest, served), judge_page(entry, manifest.public_url, page)]

    return Check(NAME, entry.name, look, needs=needs, tells=("addin-manifest", "addin-page"))


def judge_manifest(entry: Integration, manifest: ManifestSettings, served: Page) -> Finding:
    """Say whether the manifest that is served is that of the configuration."""
    about = About("addin-manifest", entry.name)
    if served.status != _OK:
        said = f"HTTP {served.status}" if served.status else served.failure
        mend = "Restart the service, and have the proxy in front pass /addin/ on, unchanged."
        return about.wrong(f"The add-in's manifest is not served ({said}).", WHY, mend)
    known = manifest_name(served.body)
    if known is None:
        mend = "See what stands in front of Greenroom: it must pass /addin/ on, unchanged."
        return about.wrong("What is served as the add-in's manifest is none.", WHY, mend)
    if known.id.lower() != manifest.id.lower():
        what = "The manifest that is served has another id: it is another installation's, such as test instead of production."
        return about.wrong(
            what, WHY, "Have service.public_url lead to this installation, or correct [integration.addin] id."
        )
    if write_manifest(manifest, known.version) != served.body:
        what = f"The manifest that is served (version {known.version}) does not say what the configuration says."
        return about.wrong(
            what,
            "Outlook then uses old settings.",
            "Restart the service, then install the new manifest: greenroom addin manifest",
        )
    return about.well(f"The manifest is served, version {known.version}.")


def judge_page(entry: Integration, public_url: str, page: Page) -> Finding:
    """Say whether Outlook may show the pane: a proxy in front easily adds a header that forbids it."""
    about = About("addin-page", entry.name)
    if page.status != _OK or "text/html" not in page.headers.get("content-type", ""):
        said = f"HTTP {page.status}" if page.status else page.failure
        mend = "Restart the service, and have the proxy in front pass /addin/ on, unchanged."
        return about.wrong(f"The add-in's pane is not served ({said}).", WHY, mend)
    policies = page.headers.get_list("content-security-policy")
    for name in ("X-Frame-Options", "Cross-Origin-Opener-Policy"):
        if name.lower() in page.headers:
            what = f"Something in front of {public_url} adds {name} to the add-in's pages: Outlook on the web may not show them."
            return about.wrong(what, WHY, f"Have the proxy leave the headers of /addin/ alone: no {name} there.")
    framed = [policy for policy in policies if "frame-ancestors" in policy]
    if not framed or any(OUTLOOK_HOSTS[0] not in policy for policy in framed):
        what = "The content security policy of the add-in's pages does not let Outlook show them."
        return about.wrong(
            what, WHY, "Have the proxy in front leave Content-Security-Policy of /addin/ as Greenroom sends it."
        )
    return about.well("The pane is served, and Outlook may show it.")
