"""Makes the Spark dialect of every table, `spark/TABLE.sql`, from BigQuery's, `TABLE.sql`.

python backend/sql/generate.py            writes them
python backend/sql/generate.py --check    fails where one is stale
"""

import argparse
import re
import sys
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError

SQL = Path(__file__).parent
SPARK = SQL / "spark"
REPOSITORY = SQL.parents[1]

HEADER = "-- Made by `python backend/sql/generate.py` from ../{name}; do not edit.\n"

SECTION = re.compile(r"^## (\w+)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def day_in_zone(generator, date):
    """`DATE(t, zone)`: Spark has no such function."""
    zone = date.args.get("zone")
    if zone is None:
        return generator.function_fallback_sql(date)
    return f"TO_DATE(FROM_UTC_TIMESTAMP({generator.sql(date, 'this')}, {generator.sql(zone)}))"


def of_known(generator, extreme):
    """`LEAST` and `GREATEST`, which know of no NULL in Spark, and are NULL with one in BigQuery."""
    parts = [extreme.this, *extreme.expressions]
    named = generator.func(extreme.sql_name(), *parts)
    unknown = [f"{generator.sql(part)} IS NULL" for part in parts if not part.is_number]
    return f"IF({' OR '.join(unknown)}, NULL, {named})" if unknown else named


class Dialect(Spark):
    """Spark's dialect, with what sqlglot leaves as it stands in BigQuery's."""

    class Generator(Spark.Generator):
        TRANSFORMS = {
            **Spark.Generator.TRANSFORMS,
            exp.Date: day_in_zone,
            exp.Greatest: of_known,
            exp.Least: of_known,
            exp.JSONExtractArray: lambda self, array: self.func(
                "FROM_JSON", array.this, exp.Literal.string("ARRAY<STRING>")
            ),
        }

        def datatype_sql(self, expression):
            """BigQuery's NUMERIC has 38 digits and 9 decimals; Spark's has 10 and none."""
            if expression.is_type(exp.DataType.Type.DECIMAL) and not expression.expressions:
                return "DECIMAL(38, 9)"
            return super().datatype_sql(expression)


def without_qualify(select):
    """The rows that a QUALIFY keeps; sqlglot's own way gives a column beside `*` twice."""
    qualify = select.args["qualify"]
    common = select.args.get("with_")
    select.set("qualify", None)
    select.set("with_", None)
    marked = select.copy()
    marked.append("expressions", exp.alias_(exp.paren(qualify.this), "qualifies"))
    kept = exp.select(exp.Star(except_=[exp.to_identifier("qualifies")]))
    kept = kept.from_(marked.subquery("marked")).where("qualifies")
    kept.set("with_", common)
    return kept


def in_spark(text):
    """A table's SELECT in Spark's dialect."""
    query = parse_one(text, read="bigquery")
    innermost_first = reversed(list(query.find_all(exp.Select)))
    for select in innermost_first:
        if select.args.get("qualify"):
            replacement = without_qualify(select)
            query = replacement if select is query else query
            select.replace(replacement)
    generator = Dialect().generator(pretty=True, comments=False, max_text_width=100)
    return generator.generate(query)


def logic():
    """The version of the plans that the SQL equals, as publications name it."""
    recipe = (REPOSITORY / "backend/src/silver.rs").read_text(encoding="utf-8")
    return re.search(r"^const LOGIC: u32 = (\d+);$", recipe, re.MULTILINE)[1]


def promises():
    """Each table with comments for programs: its key, and the columns that are never NULL."""
    documentation = (REPOSITORY / "docs/tables.md").read_text(encoding="utf-8")
    for table, section in SECTION.findall(documentation):
        key = re.findall(r"`(\w+)`", re.search(r"^Key: (.*?);", section, re.MULTILINE)[1])
        full = re.findall(r"^\| `(\w+)` \| \w+ NOT NULL \|", section, re.MULTILINE)
        yield table, f"-- Key: {', '.join(key)}\n-- Not null: {', '.join(full)}\n"


def generated():
    """The text of each file of `spark/`, by its path."""
    promised = dict(promises())
    for source in sorted(SQL.glob("*.sql")):
        try:
            spark = in_spark(source.read_text(encoding="utf-8"))
        except ParseError as error:
            sys.exit(f"`{source.name}`: {error}")
        header = HEADER.format(name=source.name) + f"-- Logic: {logic()}\n"
        header += promised.get(source.stem, "")
        yield SPARK / source.name, header + spark + ";\n"


def is_stale(path, text):
    return not path.exists() or path.read_text(encoding="utf-8") != text


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument(
        "--check", action="store_true", help="write nothing; fail where a file is stale"
    )
    check = arguments.parse_args().check
    files = dict(generated())
    stale = [path for path, text in files.items() if is_stale(path, text)]
    stale += [path for path in SPARK.glob("*.sql") if path not in files]
    if check:
        for path in stale:
            print(f"stale: `spark/{path.name}`", file=sys.stderr)
        if stale:
            sys.exit("hint: run `python backend/sql/generate.py`")
        return
    SPARK.mkdir(exist_ok=True)
    for path in stale:
        if path in files:
            path.write_text(files[path], encoding="utf-8")
        else:
            path.unlink()


if __name__ == "__main__":
    main()
