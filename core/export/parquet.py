"""The same rows as Parquet, for those who read them with pandas, R's arrow or DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.export.sheets import Chunk
from core.ratings import Kind


def write(path: Path, kinds: Mapping[str, Kind], chunks: Iterable[Chunk]) -> int:
    """Write a file with typed columns, missing cells as null, and return its number of rows."""
    import pyarrow as pa
    from pyarrow import parquet

    types: dict[Kind, Any] = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("ms", tz="UTC"),
        "list": pa.list_(pa.string()),
    }
    schema = pa.schema([(column, types[kind]) for column, kind in kinds.items()])
    n = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for chunk in chunks:
            table = pa.table({column: list(chunk[column]) for column in kinds}, schema=schema)
            writer.write_table(table)
            n += table.num_rows
    return n
