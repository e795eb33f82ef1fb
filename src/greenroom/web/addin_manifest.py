"""The add-in's manifest for download: `/addin/<integration>/manifest/<profile>.xml`.

Exchange may also fetch it itself (`New-App -Url`). It holds nothing secret: everybody in whose Outlook it is installed can read it.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

log = structlog.get_logger(__name__)

_NUMBER = re.compile(r"[1-9][0-9]{0,4}")
_TAG = re.compile(r'"([^"]*)"|\*')


@dataclass(frozen=True, slots=True)
class WrittenManifest:
    """A manifest as it is installed, and the name to save it under."""

    filename: str
    version: str
    content: bytes = field(repr=False)


class ManifestsUnavailableError(Exception):
    """Nobody can tell the version now: the database does not answer. The text is a code."""


class ManifestWriter(Protocol):
    """Who writes manifests."""

    async def manifest(self, integration: int, profile: str) -> WrittenManifest | None:
        """Write a manifest; None if there is no such integration, add-in or profile. Raises ManifestsUnavailableError."""
        ...


def addin_manifest_router(writer: ManifestWriter) -> APIRouter:
    """Make the route."""
    router = APIRouter()

    @router.api_route("/addin/{number}/manifest/{profile}.xml", methods=["GET", "HEAD"], include_in_schema=False)
    async def manifest(request: Request, number: str, profile: str) -> Response:
        """Return the manifest, or say that the visitor has it."""
        if _NUMBER.fullmatch(number) is None:
            raise HTTPException(404)
        try:
            written = await writer.manifest(int(number), profile)
        except ManifestsUnavailableError as error:
            log.warning("addin.manifest_unavailable", integration=int(number), code=str(error))
            raise HTTPException(503, headers={"Retry-After": "30"}) from error
        if written is None:
            raise HTTPException(404)
        tag = hashlib.sha256(written.content).hexdigest()[:32]
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        if any(
            one[0] == "*" or one[1] == tag for one in _TAG.finditer(request.headers.get("if-none-match", "")[:1000])
        ):
            return Response(status_code=304, headers=headers)
        headers["Content-Disposition"] = f'attachment; filename="{written.filename}"'
        # Without a charset: the file says itself that it is UTF-8.
        return Response(written.content, headers=headers | {"Content-Type": "application/xml"})

    return router
