"""The resources of version overrides: each is there once, and only if something uses it."""

from greenroom.addin.manifest.elements import Element, add, add_in
from greenroom.addin.manifest.model import ManifestSettings
from greenroom.addin.manifest.names import BASIC_TYPES, ICONS, icon, phone_icon
from greenroom.addin.manifest.wording import Text, text


class Resources:
    """Takes resources as they are used, and gives the id to refer to each by (`resid`, at most 32 characters)."""

    def __init__(self, settings: ManifestSettings, version: str) -> None:
        self._settings = settings
        self._version = version
        self._images: dict[str, str] = {}
        self._pages: dict[str, str] = {}
        self._short: dict[str, Text] = {}
        self._long: dict[str, Text] = {}

    def icon(self, size: int) -> str:
        """Refer to a picture of the ribbon."""
        return self._image(f"icon.{size}", icon(size))

    def phone_icon(self, size: int, scale: int) -> str:
        """Refer to a picture for phones."""
        return self._image(f"phone.{size}.{scale}", phone_icon(size, scale))

    def page(self, name: str) -> str:
        """Refer to a page. The version in its address shows it which manifest is installed."""
        return self._url(name, f"{name}?v={self._version}")

    def script(self, name: str) -> str:
        """Refer to a script, which must be named exactly as the list of allowed scripts names it."""
        return self._url(name, name)

    def short(self, key: str) -> str:
        """Refer to a label."""
        self._short[key] = text(self._settings.words, key)
        return key

    def long(self, key: str) -> str:
        """Refer to a longer text."""
        self._long[key] = text(self._settings.words, key)
        return key

    def add_to(self, parent: Element) -> None:
        """Write them all."""
        resources = add(parent, "Resources")
        images = add_in(BASIC_TYPES, resources, "Images")
        for resid, name in self._images.items():
            add(images, "Image", id=resid, DefaultValue=f"{self._settings.public_url}{ICONS}{name}")
        urls = add_in(BASIC_TYPES, resources, "Urls")
        for resid, name in self._pages.items():
            add(urls, "Url", id=resid, DefaultValue=f"{self._settings.base}{name}")
        for tag, strings in (("ShortStrings", self._short), ("LongStrings", self._long)):
            listed = add_in(BASIC_TYPES, resources, tag)
            for key, value in strings.items():
                string = add(listed, "String", id=key, DefaultValue=value.default)
                for locale, other in value.overrides:
                    add(string, "Override", Locale=locale, Value=other)

    def _image(self, resid: str, name: str) -> str:
        self._images[resid] = name
        return resid

    def _url(self, resid: str, address: str) -> str:
        self._pages[resid] = address
        return resid
