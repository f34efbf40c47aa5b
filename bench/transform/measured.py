"""Runs a command and prints what it cost, with everything it waited for, as JSON in the last line.

    measured.py COMMAND [ARGUMENT ...]
"""

import json
import os
import resource
import subprocess
import sys
import time

start = time.monotonic()
status = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cost = {
    "cpu_s": used.ru_utime + used.ru_stime,
    "wall_s": time.monotonic() - start,
    # Linux counts it in KiB, and of the largest of the processes.
    "peak_mib": used.ru_maxrss / 1024,
}
print(json.dumps(cost))
sys.stdout.flush()
os._exit(status if status >= 0 else 128 - status)
