# Sourced by ./demo, ./test and .ci/run: sets up what they need inside the checkout. Nothing is installed elsewhere, but for
# Debian packages that tests need (a browser), and those only when we are root.

# Compiled modules make every start faster; some machines switch them off for everybody.
unset PYTHONDONTWRITEBYTECODE

# Trust the certificates this machine trusts: many organisations look into TLS with an authority of their own.
if [ -e /etc/ssl/certs/ca-certificates.crt ] || [ "$(uname)" = Darwin ]; then
  export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
fi

# The first Python that is new enough.
_python() {
  local candidate
  for candidate in "${GREENROOM_PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo "Greenroom needs Python 3.11 or later. Install it (Debian 12: apt-get install python3), or set GREENROOM_PYTHON." >&2
  return 1
}

# uv, from the machine or fetched into .tools.
_uv() {
  local python=$1
  if command -v uv >/dev/null 2>&1; then
    command -v uv
    return
  fi
  if [ ! -x .tools/bin/uv ]; then
    echo "Fetching uv into .tools ..." >&2
    rm -rf .tools
    if "$python" -m venv .tools >/dev/null 2>&1; then
      .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt >&2
    elif "$python" -m pip --version >/dev/null 2>&1; then
      rm -rf .tools
      "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --target .tools -r requirements/uv.txt >&2
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
      _apt python3-venv >&2
      rm -rf .tools
      "$python" -m venv .tools >&2
      .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt >&2
    else
      rm -rf .tools
      echo "This Python has neither venv nor pip. Install them (Debian 12: apt-get install python3-venv) and try again." >&2
      return 1
    fi
  fi
  echo "$PWD/.tools/bin/uv"
}

_apt() {
  echo "Installing the Debian packages: $* ..."
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# environment run|dev: a virtual environment in .venv with what the hashed requirement files name, and Greenroom itself.
environment() {
  local kind=$1 python uv stamp
  python=$(_python)
  stamp=$(cat "requirements/$kind.txt" requirements/build.txt pyproject.toml | cksum | tr -d ' ')
  if [ -f ".venv/greenroom-$kind-$stamp" ] && [ -x .venv/bin/greenroom ]; then
    return
  fi
  uv=$(_uv "$python")
  [ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
  echo "Installing what Greenroom needs into .venv ..." >&2
  "$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "requirements/$kind.txt"
  "$uv" pip install --quiet --python .venv/bin/python --require-hashes -r requirements/build.txt
  "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
  rm -f ".venv/greenroom-$kind-"*
  touch ".venv/greenroom-$kind-$stamp"
}

# scripts: what the add-in's pages are checked and tested with, in node_modules, and MSAL where the pages are served from. Node.js
# itself comes with the development requirements.
scripts() {
  local stamp
  stamp=$(cat package.json package-lock.json | cksum | tr -d ' ')
  if [ ! -f "node_modules/greenroom-$stamp" ]; then
    echo "Installing the add-in's development packages into node_modules ..." >&2
    PATH="$PWD/.venv/bin:$PATH" .venv/bin/npm ci --silent >&2
    touch "node_modules/greenroom-$stamp"
  fi
  .venv/bin/python tools/pack_msal.py
}

# browser: a Chromium for the page tests; without it they are skipped with a reason.
browser() {
  if command -v chromium >/dev/null 2>&1 || [ -n "${GREENROOM_CHROMIUM:-}" ]; then
    return
  fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    _apt chromium fonts-dejavu-core
  else
    echo "No Chromium here: page tests will be skipped. Install it (Debian: apt-get install chromium) or set GREENROOM_CHROMIUM." >&2
  fi
}

# peer o365|msgraph: another client of Graph in .peers/, for tests and benchmarks.
peer() {
  local name=$1 python uv stamp
  stamp=$(cksum <"requirements/$name.txt" | tr -d ' ')
  if [ -f ".peers/$name/greenroom-$stamp" ]; then
    return
  fi
  python=$(_python)
  uv=$(_uv "$python")
  echo "Installing $name into .peers/$name ..." >&2
  rm -rf ".peers/$name"
  "$uv" venv --quiet --python "$python" ".peers/$name"
  "$uv" pip install --quiet --python ".peers/$name/bin/python" --require-hashes -r "requirements/$name.txt"
  touch ".peers/$name/greenroom-$stamp"
}

# kerberos: MIT Kerberos for tests: a key distribution center from Debian and the Python modules, built into .venv against its
# headers. Without it those tests are skipped with a reason.
kerberos() {
  local stamp uv sbin="$PATH:/usr/sbin:/sbin" missing=""
  stamp=$(cat requirements/kerberos.txt requirements/kerberos-build.txt | cksum | tr -d ' ')
  if ! PATH=$sbin command -v krb5kdc >/dev/null || ! PATH=$sbin command -v kadmin.local >/dev/null ||
    ! command -v kinit >/dev/null || ! command -v faketime >/dev/null || ! command -v krb5-config >/dev/null ||
    ! command -v gcc >/dev/null || ! _python_headers; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
      # The packages' own services start nothing: a KDC without a realm's database ends at once.
      _apt krb5-kdc krb5-admin-server krb5-user faketime libkrb5-dev gcc libc6-dev python3-dev >&2 || true
    fi
  fi
  PATH=$sbin command -v krb5kdc >/dev/null || missing="krb5-kdc krb5-admin-server krb5-user faketime"
  if [ ! -f ".venv/greenroom-kerberos-$stamp" ]; then
    { command -v krb5-config && command -v gcc && _python_headers; } >/dev/null ||
      missing="${missing:+$missing }libkrb5-dev gcc python3-dev"
  fi
  if [ -n "$missing" ]; then
    echo "No MIT Kerberos here: its tests will be skipped. Install it (Debian: apt-get install $missing)." >&2
    return
  fi
  if [ -f ".venv/greenroom-kerberos-$stamp" ]; then
    return
  fi
  echo "Building the Kerberos modules into .venv ..." >&2
  uv=$(_uv .venv/bin/python)
  if "$uv" pip install --quiet --python .venv/bin/python --require-hashes -r requirements/kerberos-build.txt >&2 &&
    PATH="$PWD/.venv/bin:$PATH" "$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --no-build-isolation \
      --require-hashes -r requirements/kerberos.txt >&2 &&
    .venv/bin/python -c 'import gssapi, krb5' >&2; then
    rm -f .venv/greenroom-kerberos-*
    touch ".venv/greenroom-kerberos-$stamp"
  else
    echo "The Kerberos modules could not be built (see above): their tests will be skipped." >&2
  fi
}

# Whether extension modules can be built for the Python in .venv.
_python_headers() {
  .venv/bin/python -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
}
