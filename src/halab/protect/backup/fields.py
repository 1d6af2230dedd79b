"""The fields of a collection as a backup keeps them: described as JSON, their values as Arrow columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pymilvus import DataType

from halab.errors import BackupError
from halab.protect.backup.manifest import Field
from halab.translation import gettext

__all__ = ["DYNAMIC", "arrow_schema", "greatest_row", "read_field", "row_group", "rows_of"]

DYNAMIC = "$meta"
"""The column that holds, as JSON, what a row has beyond its schema's fields."""

_SCALARS = {
    "BOOL": pa.bool_(),
    "INT8": pa.int8(),
    "INT16": pa.int16(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
}
_VECTORS = ("FLOAT_VECTOR", "FLOAT16_VECTOR", "BINARY_VECTOR")
_BYTES = ("FLOAT16_VECTOR", "BINARY_VECTOR")  # vectors that Milvus hands out as bytes
_MOST_TEXT = 65_535  # bytes that Milvus takes as VARCHAR or JSON


def read_field(described: Mapping[str, Any]) -> Field:
    """A field as `describe_collection` describes it. Raises BackupError for a type a backup cannot hold."""
    kind, element = DataType(described["type"]).name, described.get("element_type")
    field = Field(
        name=described["name"],
        type=kind,
        primary=bool(described.get("is_primary")),
        auto_id=bool(described.get("auto_id")),
        partition_key=bool(described.get("is_partition_key")),
        nullable=bool(described.get("nullable")),
        element=DataType(element).name if element else "",
        description=described.get("description", ""),
        params={str(key): value for key, value in (described.get("params") or {}).items()},
    )
    arrow_type(field)
    return field


def arrow_type(field: Field) -> pa.DataType:
    """How a field's values are stored. Raises BackupError for a type there is no column for."""
    if field.type in _SCALARS:
        return _SCALARS[field.type]
    if field.type == "FLOAT_VECTOR":
        return pa.list_(pa.float32(), int(field.params["dim"]))
    if field.type in _BYTES:
        return pa.binary(_vector_bytes(field))
    if field.type == "ARRAY" and field.element in _SCALARS:
        return pa.list_(_SCALARS[field.element])
    raise BackupError(
        gettext('the field "{name}" has the type {kind}, and this version keeps {names}').format(
            name=field.name, kind=field.type, names=", ".join([*_SCALARS, *_VECTORS, "ARRAY"])
        ),
        hint=gettext("back up this collection with Milvus' own milvus-backup, or use a newer halab"),
    )


def _vector_bytes(field: Field) -> int:
    dim = int(field.params["dim"])
    return {"FLOAT_VECTOR": 4 * dim, "FLOAT16_VECTOR": 2 * dim, "BINARY_VECTOR": dim // 8}[field.type]


def greatest_row(fields: Sequence[Field], dynamic: bool) -> int:
    """The bytes that a row's values take at most, by the schema."""
    return sum(map(_greatest, fields)) + (_MOST_TEXT if dynamic else 0)


def _greatest(field: Field) -> int:
    if field.type in _VECTORS:
        return _vector_bytes(field)
    text = int(field.params.get("max_length", _MOST_TEXT))
    if field.type == "ARRAY":
        return int(field.params.get("max_capacity", 1)) * (text if field.element == "VARCHAR" else 8)
    return text if field.type in ("VARCHAR", "JSON") else 8


def arrow_schema(fields: Sequence[Field], dynamic: bool) -> pa.Schema:
    """The columns of a collection's files."""
    columns = [pa.field(field.name, arrow_type(field)) for field in fields]
    return pa.schema([*columns, pa.field(DYNAMIC, pa.string())] if dynamic else columns)


def row_group(rows: Sequence[Mapping[str, Any]], fields: Sequence[Field], dynamic: bool) -> pa.Table:
    """Rows as a client reads them, as columns."""
    schema = arrow_schema(fields, dynamic)
    columns = {field.name: [_stored(field, row.get(field.name)) for row in rows] for field in fields}
    if dynamic:
        known = {field.name for field in fields}
        dynamic_parts = ({key: row[key] for key in row if key not in known} for row in rows)
        columns[DYNAMIC] = [json.dumps(part, ensure_ascii=False, default=_plain) for part in dynamic_parts]
    return pa.table(columns, schema=schema)


def rows_of(table: pa.Table, fields: Sequence[Field], dynamic: bool) -> list[dict[str, Any]]:
    """Columns as the rows a client inserts; a key that Milvus makes itself is left out."""
    columns: dict[str, list[Any]] = {
        field.name: [_loaded(field, value) for value in table[field.name].to_pylist()]
        for field in fields
        if not (field.primary and field.auto_id)
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    if dynamic:
        for row, dynamic_part in zip(rows, table[DYNAMIC].to_pylist(), strict=True):
            row.update(json.loads(dynamic_part))
    return rows


def _stored(field: Field, value: Any) -> Any:
    if field.type == "JSON":
        # Milvus answers with the value, or with the text it was written as; null is a value as any other.
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_plain)
    if value is None:
        return None
    if field.type in _BYTES:
        return value[0] if isinstance(value, list) else bytes(value)
    if field.type in ("FLOAT_VECTOR", "ARRAY"):
        return list(value)
    return value


def _loaded(field: Field, value: Any) -> Any:
    """JSON goes back as text: pymilvus refuses a null that is not written out."""
    return "null" if field.type == "JSON" and value is None else value


def _plain(value: Any) -> Any:
    """NumPy's numbers and repeated fields, which JSON does not know."""
    item: Callable[[], Any] | None = getattr(value, "item", None)
    return item() if item else list(value)
