"""Run ``understudy`` with these arguments, and say on stderr how much memory it held at most.

python -m benchmarks.watched_command drill --gateway URL ...
"""

import sys

from benchmarks.processes import peak_mb
from supervisor.cli.main import main

if __name__ == "__main__":
    try:
        main()
    finally:
        print(f"peak_mb={peak_mb('self'):.1f}", file=sys.stderr)
