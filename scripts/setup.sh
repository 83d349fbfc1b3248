#!/bin/sh
# Finds a Python that is new enough and hands over to setup.py. Plain sh, so that an old Python never sees newer syntax.
set -eu
cd "$(dirname "$0")/.."

# A second start asks the environment's own Python, which is known to be right.
if [ -z "${PYTHON:-}" ] && [ -f .venv/.setup/environment ] && [ -x .venv/bin/python ]; then
    exec .venv/bin/python -S scripts/setup.py "$@"
fi

new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

found=""
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if new_enough "$candidate"; then
        found="$candidate"
        break
    fi
done
if [ -z "$found" ]; then
    version="$(${PYTHON:-python3} --version 2>/dev/null | head -n 1)" || true
    echo "OdontoFlow needs Python 3.11 or newer (found: ${version:-none}). Install it, or name it: make run PYTHON=/path/to/python3.11" >&2
    exit 2
fi
if [ ! -x .venv/bin/python ] && ! "$found" -c 'import venv, ensurepip' 2>/dev/null; then
    version="$("$found" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')"
    echo "Python's venv module is missing. Install it (on Debian: apt-get install $version-venv) and start again." >&2
    exit 2
fi
exec "$found" scripts/setup.py "$@"
