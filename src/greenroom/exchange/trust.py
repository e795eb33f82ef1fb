"""Which certificate authorities are trusted, one way for every protocol: those of the system, and those of a file."""

import ssl
from pathlib import Path

from greenroom.exchange.errors import MisconfiguredError


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the system's certificate authorities and those of `ca_file` (PEM); raises MisconfiguredError naming the file."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise MisconfiguredError(
                f"ca_file {ca_file} cannot be used ({type(error).__name__})",
                hint="it must be a readable PEM file with the certificate of the authority that signed the server's",
            ) from None
    return context
