"""The whole configuration as one frozen value.

```
Settings
├── service       where we listen and how we are reached
├── storage       the database
└── integration   one or more: mailbox, exchange, platform, alias, meetings, texts
```
"""

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from greenroom.settings.fields import BaseAddress, Listen, Networks, Section, setting
from greenroom.settings.integration import Integration, Integrations
from greenroom.settings.signing_in import Secret


class PolicyListener(Section):
    """A port of its own for Pexip's policy requests, with TLS, where no proxy in front of Greenroom does that."""

    listen: Listen = setting(
        "0.0.0.0:8443",
        about="Address and port policy requests come to.",
        allowed="host:port such as 0.0.0.0:8443 or [::1]:8443",
    )
    certificate_file: Path = setting(
        about="Certificate of this server, with its chain.",
        allowed="path of a PEM file, seen from this file's folder",
        example="secrets/policy.pem",
    )
    certificate_key_file: Path | None = setting(
        None,
        about="Its private key, where it stands in a file of its own.",
        allowed="path of a PEM file, seen from this file's folder",
    )
    client_ca_file: Path | None = setting(
        None,
        about="Take requests only from whoever shows a certificate that one of these has signed.",
        allowed="path of a PEM file, seen from this file's folder",
    )


class Service(Section):
    """Where Greenroom listens, how people reach it, and what it writes to its log."""

    listen: Listen = setting(
        "127.0.0.1:8080",
        about="Address and port the web server listens on; port 0 lets the system choose.",
        allowed="host:port such as 0.0.0.0:8080 or [::1]:8080",
    )
    public_url: BaseAddress = setting(
        about="How browsers reach that server from outside; join links begin with it.",
        allowed="an https address such as https://meet.example.org (http only to this computer)",
        example="https://meet.example.org",
        max_length=255,
    )
    trusted_proxies: Networks = setting(
        ("127.0.0.1/32", "::1/128"),
        about="Proxies in front of Greenroom, whose word for the visitor's address (X-Forwarded-For) is taken.",
        allowed="a list of IP addresses or networks",
        max_length=100,
    )
    metrics_from: Networks = setting(
        ("127.0.0.0/8", "::1/128"),
        about="Who may read `/metrics`, which tells Prometheus how every mailbox is doing; for all others there is no such page.",
        allowed="a list of IP addresses or networks",
        max_length=100,
    )
    policy_listener: PolicyListener | None = setting(None, about="See below.")
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", about="The least that is logged.")
    log_format: Literal["console", "json"] = setting("console", about="Log lines for people or for machines.")

    @property
    def host(self) -> str:
        """The address part of `listen`, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `listen`."""
        return int(self.listen.rpartition(":")[2])


class Storage(Section):
    """The database."""

    url: Secret = setting(
        "sqlite:///greenroom.db",
        about="Database to use; its tables are made at the first start. A password in it is kept secret.",
        allowed="sqlite:///path, or postgresql://user:password@host/database",
        validate_default=True,
    )
    url_file: Path | None = setting(
        None,
        about="File whose content is the address; keeps a password out of this file.",
        allowed="path of a readable file, seen from this file's folder",
    )


class Settings(BaseSettings):
    """All of greenroom.toml, with the environment laid over it by `load_settings`.

    Made directly, it takes exactly what it is given and reads no file and no environment.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    service: Service = setting(about="The web server.")
    storage: Storage = setting(about="The database.", default_factory=Storage)
    integration: Integrations = setting(about="One equipment mailbox and all that belongs to it.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what was given only: the library's own environment source cannot address list entries by name."""
        return (init_settings,)

    def named(self, name: str) -> Integration | None:
        """Find an integration by its name."""
        return next((entry for entry in self.integration if entry.name == name), None)

    def numbered(self, number: int) -> Integration | None:
        """Find an integration by its number."""
        return next((entry for entry in self.integration if entry.number == number), None)
