"""Takes the records out of a lake's bronze, where landing has cleaned them and derived what one event tells, as the edge does:
in the order in which they reached the edge, as Parquet files with the columns `_offset`, `key` and `record`.

    understood.py LAKE OUT
"""

import sys
from pathlib import Path

import duckdb
import deltalake

RECORDS_A_FILE = 500_000


def main(lake, out):
    Path(out).mkdir(parents=True)
    files = deltalake.DeltaTable(f"{lake}/bronze_events").file_uris()
    database = duckdb.connect()
    database.execute(
        """
        create table records as
        select row_number() over (order by received_at, _partition, _offset) - 1 as _offset,
            anonymous_id as key, record
        from read_parquet($1)""",
        [files],
    )
    count = database.execute("select count(*) from records").fetchone()[0]
    for number, first in enumerate(range(0, count, RECORDS_A_FILE)):
        database.execute(
            f"""copy (select * from records where _offset >= {first}
                and _offset < {first + RECORDS_A_FILE} order by _offset)
                to '{out}/{number:04}.parquet' (format parquet, compression zstd)"""
        )
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])
