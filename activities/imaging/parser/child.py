"""The confined process: ``python -I child.py``. Reads requests from its first pipe, answers on its second, opens nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from activities.imaging.parser.confinement import leave_namespaces

if __name__ == "__main__":
    isolated = leave_namespaces()

    # Only now: numpy starts threads, and a process with threads cannot leave its user namespace.
    from activities.imaging.parser.serving import serve

    serve(isolated=isolated)
