"""Columns of a file, found by name: CSV, also compressed, or Parquet. Files are read, never written."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import DataError, ParameterError
from dealermarket.values import listed, plain, short, suggestion

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]

SHOWN = 10  # rows that an error names
_EMPTY = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Wanted:
    """A column that is looked for: its name with us, and other headings that mean the same."""

    name: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """The columns of a file that were found, as they stand there, by their names with us."""

    file: Path
    columns: Mapping[str, pa.ChunkedArray]
    headings: Mapping[str, str]  # what the file calls them
    first: int  # the number of the first row as a person counts: 2 in a CSV, whose header is row 1
    decimal_comma: bool

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def heading(self, name: str) -> str:
        """How an error calls a column."""
        return f"{self.file}: column {self.headings[name]!r}"

    def numbers(self, name: str) -> Array:
        """A column as numbers (rows,), NaN where a cell is empty. Raises DataError for what is no finite number."""
        import pandas as pd
        import pyarrow as pa

        column = self.columns[name]
        if not pa.types.is_string(column.type):
            try:
                numbers = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
            except pa.ArrowException:
                raise DataError(f"{self.heading(name)}: must hold numbers, holds {column.type}") from None
            self.refuse(name, np.isinf(numbers), "no finite numbers", numbers)
            return numbers
        texts = self.texts(name)
        cells = pd.Series(texts, dtype=object).str.strip()
        if self.decimal_comma:
            cells = cells.str.replace(",", ".", regex=False)
        values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
        self.refuse(name, (texts != None) & ~np.isfinite(values), "no finite numbers", texts)  # noqa: E711, an array
        return values

    def texts(self, name: str) -> Array:
        """A column as texts (rows,), None where a cell is empty."""
        return np.asarray(self.columns[name].to_numpy(zero_copy_only=False), dtype=object)

    def words(self, name: str) -> Array:
        """A column as words (rows,), without spaces around them, None where a cell is empty; numbers are words as well."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.columns[name]
        kinds = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
        if not any(is_one(column.type) for is_one in kinds):
            raise DataError(f"{self.heading(name)}: must hold texts, holds {column.type}")
        words = pc.utf8_trim_whitespace(column.cast(pa.string()))
        return np.asarray(pc.if_else(pc.equal(words, ""), None, words).to_numpy(zero_copy_only=False), dtype=object)

    def refuse(self, name: str, wrong: Array, what: str, cells: Array | None = None, way_out: str = "") -> None:
        """Raises DataError where rows are `wrong` (rows,), with the first ten of them and their `cells`, those of the column if
        none are given."""
        if wrong.any():
            cells = self.texts(name) if cells is None else cells
            raise DataError(f"{self.heading(name)}: holds {what} in {self.rows(wrong, cells)}{way_out}")

    def rows(self, chosen: Array, cells: Array | None = None) -> str:
        """Chosen rows in words: how many, and the numbers of the first ten, with what stands there."""
        places = np.flatnonzero(chosen)
        shown = [f"{n + self.first}" + ("" if cells is None else f" ({short(plain(cells[n]))})") for n in places[:SHOWN]]
        more = " ..." if len(places) > SHOWN else ""
        return f"{len(places):,} row{'s' if len(places) != 1 else ''}: {', '.join(shown)}{more}"


def read_columns(file: str | Path, wanted: Sequence[Wanted], given: Mapping[str, str]) -> Rows:
    """The columns of a file that are there of those wanted; `given` says by name how the file calls some of them.

    A heading is taken for a column if it is one of its synonyms, whatever its case, spaces and underscores. Raises DataError for
    a file that cannot be read, that has no rows, or whose headings are not clear."""
    path = Path(file)
    for name in given:
        if name not in {column.name for column in wanted}:
            raise DataError(f"columns: there is no {name!r}{suggestion(name, [column.name for column in wanted])}")
    try:
        return _read(path, wanted, given)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def state_of_file(path: str | Path) -> tuple[int, int]:
    """What tells that a file was changed since it was read. Raises DataError where it cannot be read."""
    try:
        found = Path(path).stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    return found.st_mtime_ns, found.st_size


def check_digest(file: str, found: str, wanted: str | None) -> None:
    """Raises ParameterError where a file is not the one whose digest is `wanted`."""
    if wanted is not None and found != wanted:
        raise ParameterError(
            f"{file} is not the file that it was: its SHA-256 must be {wanted[:16]}..., got {found[:16]}...; put the former file "
            "there, or leave digest out"
        )


def digest_of_file(path: str | Path) -> str:
    """The SHA-256 of a file. Raises DataError where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def _read(path: Path, wanted: Sequence[Wanted], given: Mapping[str, str]) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    try:
        if is_parquet:
            headings = _found(path, pq.read_schema(path).names, wanted, given)
            table, first, comma = pq.read_table(path, columns=list(headings.values())), 1, False
        else:
            delimiter, names = _header(path)
            headings, first = _found(path, names, wanted, given), 2
            table = _read_csv(path, delimiter, list(headings.values()))
            comma = delimiter != "," and _has_decimal_commas(table)
    except (pa.ArrowException, UnicodeError) as error:
        hint = "; save it as UTF-8" if "UTF8" in str(error) or "utf" in str(error) else ""
        raise DataError(f"{path}: is no table that can be read: {error}{hint}") from None
    if not len(table):
        raise DataError(f"{path}: has no rows")
    return Rows(path, {name: _plainly_typed(table[heading]) for name, heading in headings.items()}, headings, first, comma)


def _plainly_typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same, texts of all kinds being texts."""
    import pyarrow as pa

    is_text = pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)
    return column.cast(pa.string()) if is_text or pa.types.is_dictionary(column.type) else column


def _header(path: Path) -> tuple[str, list[str]]:
    """The delimiter of a CSV and its headings."""
    import csv

    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        line = file.readline()
    if not line.strip():
        raise DataError(f"{path}: is empty; its first line must hold the names of the columns")
    bare = re.sub(r'"[^"]*"', "", line)
    delimiter = max(_DELIMITERS, key=bare.count)
    return delimiter, [name.strip() for name in next(csv.reader([line.strip("\r\n")], delimiter=delimiter))]


def _read_csv(path: Path, delimiter: str, headings: list[str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    ragged: list[tuple[int, int, int]] = []

    def refused(row: Any) -> str:
        ragged.append((row.number, row.actual_columns, row.expected_columns))
        return "skip"

    _, names = _header(path)
    table = csv.read_csv(
        pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None),
        read_options=csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=False, invalid_row_handler=refused),
        convert_options=csv.ConvertOptions(
            include_columns=headings,
            column_types=dict.fromkeys(headings, pa.string()),
            null_values=list(_EMPTY),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    if ragged:
        number, found, expected = ragged[0]
        raise DataError(
            f"{path}: {len(ragged):,} row{'s' if len(ragged) != 1 else ''} of another width than the header: row {number} has "
            f"{found} cells, the header {expected}"
        )
    return table


def _has_decimal_commas(table: pa.Table) -> bool:
    """Whether some cell is a number with a comma, such as 1,0845."""
    import pyarrow.compute as pc

    return any(pc.any(pc.match_substring_regex(column, r"^\s*[-+]?\d+,\d+\s*$")).as_py() for column in table.columns)


def _found(path: Path, headings: Sequence[str], wanted: Sequence[Wanted], given: Mapping[str, str]) -> dict[str, str]:
    """What the file calls each of the columns that it has."""
    repeated = sorted({name for name in headings if list(headings).count(name) > 1})
    if repeated:
        raise DataError(f"{path}: has {repeated[0]!r} twice in its header; every column needs a name of its own")
    shared = sorted({heading for heading in given.values() if list(given.values()).count(heading) > 1})
    if shared:
        raise DataError(f"{path}: column {shared[0]!r} is given for two things; every one needs its own")
    found: dict[str, str] = {}
    for column in wanted:
        if column.name in given:
            if given[column.name] not in headings:
                raise DataError(
                    f"{path}: has no column {given[column.name]!r}{suggestion(given[column.name], headings)}; it was given for "
                    f"{column.name!r}"
                )
            found[column.name] = given[column.name]
            continue
        known = {_plain(name) for name in (column.name, *column.synonyms)}
        alike = [heading for heading in headings if _plain(heading) in known and heading not in given.values()]
        if len(alike) > 1:
            raise DataError(f"{path}: {listed([repr(name) for name in alike])} may each be {column.name!r}; say which in columns")
        if alike:
            found[column.name] = alike[0]
    return found


def _plain(heading: str) -> str:
    return re.sub(r"[\s_\-.]+", "", heading).casefold()
