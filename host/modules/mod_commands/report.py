"""Reports as rows, and how `show` writes them: with a delimiter, as XML, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from host.escape import xml_escape


@dataclass(frozen=True, slots=True)
class Report:
    """A table; with `total` it is only a number of rows that are not told."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: int | None = None


def with_delimiter(report: Report, delimiter: str, *, title: bool = True) -> str:
    """Return lines of values, the columns' names first unless there are no rows, and the number of rows."""
    if report.total is not None:
        return f"\n{report.total} total.\n"
    lines = [delimiter.join(row) for row in report.rows]
    if title and lines:
        lines.insert(0, delimiter.join(report.columns))
    text = "".join(f"{line}\n" for line in lines)
    return f"{text}\n{len(report.rows)} total.\n"


def as_json(report: Report) -> str:
    """Return `{"row_count":N,"rows":[…]}`. FreeSWITCH: without rows there is a blank, no list, and a line end."""
    if report.total is not None:
        return f'{{"row_count":{report.total},"rows":[]}}'
    if not report.rows:
        return '{"row_count": 0}\n'
    rows = [dict(zip(report.columns, row, strict=True)) for row in report.rows]
    table = {"row_count": len(rows), "rows": rows}
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"))


def as_xml(report: Report) -> str:
    """Return a `<result>` with a `<row>` for each row and an element for each column."""
    if report.total is not None:
        return f'<result row_count="{report.total}"></result>\n'
    if not report.rows:
        return '<result row_count="0"/>\n'
    out = [f'<result row_count="{len(report.rows)}">\n']
    for number, row in enumerate(report.rows, 1):
        out.append(f'  <row row_id="{number}">\n')
        out += [
            f"    <{column}>{xml_escape(value)}</{column}>\n"
            for column, value in zip(report.columns, row, strict=True)
        ]
        out.append("  </row>\n")
    out.append("</result>\n")
    return "".join(out)
