"""Records of studies: found, read, written and made."""

from kdbook.records.files import (
    DIVERGED,
    SIGNIFICANT_DIGITS,
    Record,
    RecordError,
    book_record,
    find_record,
    read_record,
    read_records,
    record_name,
    write_record,
)
from kdbook.records.making import (
    changed_settings,
    common_recipe,
    days,
    distinct,
    networks,
    ratio_of,
    recipes_of,
    record,
    sorted_rows,
    split_digests,
)
from kdbook.records.provenance import FORMAT, Provenance
from kdbook.records.seeds import recorded, recorded_rows, with_recorded

__all__ = [
    "DIVERGED",
    "FORMAT",
    "SIGNIFICANT_DIGITS",
    "Provenance",
    "Record",
    "RecordError",
    "book_record",
    "changed_settings",
    "common_recipe",
    "days",
    "distinct",
    "find_record",
    "networks",
    "ratio_of",
    "read_record",
    "read_records",
    "recipes_of",
    "record",
    "record_name",
    "recorded",
    "recorded_rows",
    "sorted_rows",
    "split_digests",
    "with_recorded",
    "write_record",
]
