"""The add-in's manifest: what an administrator installs in Exchange, written from settings and checked by rules.

```
write_manifest(settings, version) -> bytes     the same settings and version give the same bytes
check_manifest(content) -> [Finding, ...]      our own rules, besides the published schema (`schema.Schema`)
```
`model` and `wording` are what goes in, `overrides` and `resources` the larger half of what comes out. Each check looks at one
thing: `reading` (may it be parsed at all), `order`, `head`, `addresses`, `references`, `surfaces`, `events`, `pictures`; `checking`
gathers them and compares manifests with each other.
"""

from greenroom.addin.manifest.checking import check_environments, check_manifest, check_successor
from greenroom.addin.manifest.findings import Finding, Severity
from greenroom.addin.manifest.model import ManifestSettings, Profile, SendMode, SingleSignOn, addin_id
from greenroom.addin.manifest.names import LARGEST
from greenroom.addin.manifest.reading import ManifestName, manifest_name
from greenroom.addin.manifest.schema import Schema, SchemaFolderError
from greenroom.addin.manifest.versions import next_version, parse_version
from greenroom.addin.manifest.wording import Misfit, WordingError, misfits
from greenroom.addin.manifest.writing import digest_of, write_manifest

__all__ = [
    "LARGEST",
    "Finding",
    "ManifestName",
    "ManifestSettings",
    "Misfit",
    "Profile",
    "Schema",
    "SchemaFolderError",
    "SendMode",
    "Severity",
    "SingleSignOn",
    "WordingError",
    "addin_id",
    "check_environments",
    "check_manifest",
    "check_successor",
    "digest_of",
    "manifest_name",
    "misfits",
    "next_version",
    "parse_version",
    "write_manifest",
]
