#!/usr/bin/env bash
# Writes the hashed requirement files anew from pyproject.toml. `tools/lock.sh --upgrade` takes newer versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/environment.sh
uv=$(_uv "$(_python)")
compile() {
  "$uv" pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 "$@"
}
compile "$@" pyproject.toml -o requirements/run.txt
compile "$@" pyproject.toml --group dev -o requirements/dev.txt
compile "$@" --group build -o requirements/build.txt
compile "$@" --group installer -o requirements/uv.txt
compile "$@" pyproject.toml --extra kerberos -o requirements/kerberos.txt
compile "$@" --group kerberos-build -o requirements/kerberos-build.txt
compile "$@" --group o365 -o requirements/o365.txt
compile "$@" --group msgraph -o requirements/msgraph.txt
