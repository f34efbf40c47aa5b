"""Runs the Python of `docs/read-the-lake.md` over a lake, as one program, and holds its answers against each other.

`docs.py DOCUMENT LAKE` prints the answer they agree on.
"""

import json
import os
import re
import sys
from pathlib import Path

# DuckDB looks for its extensions below HOME; set-up put them beside the environment. Before DuckDB is imported.
os.environ["HOME"] = str(Path(sys.prefix).parent / "home")

document, lake = sys.argv[1:]
blocks = re.findall(r"^```python\n(.*?)^```$", Path(document).read_text(), re.DOTALL | re.MULTILINE)
program = "\n".join(blocks)
here = 'LAKE = Path("data/lake")'
assert program.count(here) == 1, f"{document} says once where the lake is"
names = {}
exec(program.replace(here, f"LAKE = Path({lake!r})"), names)

answers = [names[f"with_{library}"] for library in ("pandas", "polars", "duckdb")]
assert answers[0] == answers[1] == answers[2], answers
print(json.dumps(answers[0]))
