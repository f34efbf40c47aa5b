"""Serves BigQuery's REST and Storage APIs on 127.0.0.1 with local-bigquery, for tests and the demo.

Runs on the Python of the environment that `cargo xtask setup` makes, and ends on SIGTERM or when its standard input is
closed: whoever starts it with a pipe holds the other end, so it ends with its parent, however that ends. By hand: Ctrl-D or
Ctrl-C.
"""

import argparse
import os
import stat
import sys
import threading
import time
from pathlib import Path

# DuckDB looks for its extensions below HOME; set-up put them beside the environment. Before DuckDB is imported.
os.environ["HOME"] = str(Path(sys.prefix).parent / "home")

import uvicorn  # noqa: E402
from local_bigquery import app  # noqa: E402
from local_bigquery.engine import database  # noqa: E402
from local_bigquery.grpc import server as storage  # noqa: E402
from local_bigquery.jobs import query  # noqa: E402
from local_bigquery.settings import settings  # noqa: E402
from sqlglot import exp  # noqa: E402

HOST = "127.0.0.1"
GRACE_SECONDS = 5
"""How long statements that still run at the end may take; what was committed is safe on disk."""


def is_held(stdin: int) -> bool:
    """Whether somebody holds the other end: `/dev/null` is at its end from the start, and says nothing of a parent."""
    return os.isatty(stdin) or not stat.S_ISCHR(os.fstat(stdin).st_mode)


def end_with_stdin(rest: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    rest.should_exit = True
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def create_once(run):
    """Makes a table once where two statements want to at the same time.

    `IF NOT EXISTS` says so. This server looks whether the table is there and then makes it: two `CREATE TABLE IF NOT EXISTS ... AS SELECT` at once
    put their rows in twice.
    """
    turn = threading.RLock()

    def run_alone(cur, tree, *rest):
        if isinstance(tree, exp.Create) and tree.args.get("exists"):
            with turn:
                return run(cur, tree, *rest)
        return run(cur, tree, *rest)

    return run_alone


query._run = create_once(query._run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True, help="of the REST API")
    parser.add_argument("--grpc-port", type=int, required=True, help="of the Storage Read and Write APIs")
    parser.add_argument("--data-dir", type=Path, required=True, help="keeps datasets and tables; made if missing")
    args = parser.parse_args()
    settings.bigquery_host, settings.bigquery_port, settings.grpc_port = HOST, args.port, args.grpc_port
    settings.data_dir = args.data_dir
    # The tables are small: handing their parts to threads cost a test a fifth of its processor time.
    database.connection().execute("SET threads = 1")
    storage_server, _ = storage.start(HOST, args.grpc_port)
    rest = uvicorn.Server(uvicorn.Config(app, host=HOST, port=args.port, log_level="warning"))
    if is_held(sys.stdin.fileno()):
        threading.Thread(target=end_with_stdin, args=[rest], daemon=True).start()
    rest.run()
    storage_server.stop(None)


main()
