"""Columns of a file, found by name: CSV, also compressed, or Parquet. Files are read, never written."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.errors import DataError, ParameterError
from dealermarket.memory import machine_memory
from dealermarket.reading.format import Format
from dealermarket.reading.numbers import Mark, as_plain, clearly, either, given_mark, has_commas, marks_told
from dealermarket.values import listed, plain, short, suggestion

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]
Digest = Annotated[
    str | None, Field(description="The SHA-256 of the file: where it is given, a file with other content is refused.")
]
"""A field of whatever reads a file."""

WHERE = "beside its name in a scenario, or of a log in a mapping file (--mapping)"
"""Where it is said what a file calls things and how it writes them."""
SHOWN = 10  # rows that an error names
PLAIN = Format()
BYTES_OF_A_CELL = 80  # while it is read: 1 M rows of 7 columns took 540 MB, of 4 columns 310 MB
_SAMPLE = 1 << 20  # bytes
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
    written: Format  # what is said of times and numbers

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
        texts, cells = self.texts(name), self._plain_cells(name)
        try:
            values = np.asarray(cells.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
        except pa.ArrowException:  # texts, or numbers that it does not read, such as +1
            values = pd.to_numeric(pd.Series(cells.to_pandas(), dtype=object), errors="coerce").to_numpy(dtype=np.float64)
        self.refuse(name, (texts != None) & ~np.isfinite(values), "no finite numbers", texts)  # noqa: E711, an array
        return values

    def _plain_cells(self, name: str) -> pa.ChunkedArray:
        """A column of texts with decimal points and nothing between thousands. Raises DataError where these may be each other."""
        import pyarrow.compute as pc

        column, mark = self.columns[name], given_mark(self.written)
        if mark is None and self._commas:
            own = marks_told([column])
            told = own or (self._marks if pc.any(either(column)).as_py() else set())
            if len(own) == 2:
                self.refuse(name, np.asarray(clearly(",", column)), "decimal commas among decimal points", self.texts(name))
            unclear = len(told) != 1 and has_commas(column)
            self.refuse(
                name,
                np.asarray(either(column)) & unclear,
                "numbers whose comma may stand before decimals or between thousands",
                self.texts(name),
                f"; say which, {WHERE}: format = {{ decimal = ',' }}, or {{ thousands = ',' }}",
            )
            mark = next(iter(told)) if len(told) == 1 else None
        if mark is None and self.written.thousands is None:
            return pc.utf8_trim_whitespace(column)
        return as_plain(column, mark or ".", self.written.thousands)

    @cached_property
    def _commas(self) -> bool:
        """Whether there are commas in the file's cells."""
        return any(has_commas(column) for column in self.columns.values())

    @cached_property
    def _marks(self) -> set[Mark]:
        """The decimal marks that the file's numbers tell."""
        import pyarrow as pa

        return marks_told(column for column in self.columns.values() if pa.types.is_string(column.type))

    def texts(self, name: str) -> Array:
        """A column as texts (rows,), None where a cell is empty."""
        return np.asarray(self.columns[name].to_numpy(zero_copy_only=False), dtype=object)

    def words(self, name: str) -> Array:
        """A column as words (rows,), without spaces around them, None where a cell is empty; numbers are words as well."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.columns[name]
        kinds = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
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


def read_columns(file: str | Path, wanted: Sequence[Wanted], given: Mapping[str, str], written: Format = PLAIN) -> Rows:
    """The columns of a file that are there of those wanted; `given` says by name how the file calls some of them.

    A heading is taken for a column if it is one of its synonyms, whatever its case, spaces and underscores. Raises DataError for
    a file that cannot be read, that has no rows, or whose headings are not clear."""
    path = Path(file)
    for name in given:
        if name not in {column.name for column in wanted}:
            raise DataError(f"columns: there is no {name!r}{suggestion(name, [column.name for column in wanted])}")
    try:
        return _read(path, wanted, given, written)
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


def _read(path: Path, wanted: Sequence[Wanted], given: Mapping[str, str], written: Format) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    try:
        if is_parquet:
            headings = _found(path, pq.read_schema(path).names, wanted, given)
            check_room(path, pq.read_metadata(path).num_rows, len(headings))
            table, first = pq.read_table(path, columns=list(headings.values())), 1
        else:
            encoding = written.encoding or _encoding(path)
            delimiter, names = _header(path, encoding)
            headings, first = _found(path, names, wanted, given), 2
            check_room(path, _rows_about(path), len(headings))
            table = _read_csv(path, delimiter, names, list(headings.values()), encoding)
    except (pa.ArrowException, UnicodeError) as error:
        if isinstance(error, UnicodeError) or "UTF8" in str(error):
            raise DataError(
                f"{path}: its texts are not in {written.encoding or 'UTF-8'}; save it as UTF-8, or say what they are "
                f"in, {WHERE}: format = {{ encoding = 'cp1252' }} (Windows), 'latin-1' or 'utf-16'"
            ) from None
        raise DataError(f"{path}: is no table that can be read: {error}") from None
    if not len(table):
        raise DataError(f"{path}: has no rows")
    return Rows(path, {name: _plainly_typed(table[heading]) for name, heading in headings.items()}, headings, first, written)


def check_room(path: Path, rows: float, columns: int) -> None:
    """Raises DataError where so many cells do not fit into the memory of this machine, before any of it is taken."""
    needed, most = rows * columns * BYTES_OF_A_CELL, machine_memory()
    if most is not None and needed > most:
        raise DataError(
            f"{path}: reading about {rows / 1e6:,.1f} million rows takes about {needed / 1e9:,.1f} GB of memory, and this "
            f"machine has {most / 1e9:,.1f}; give a part of it, such as fewer months"
        )


def _rows_about(path: Path) -> float:
    """How many rows a CSV has, about, from the length of its first ones."""
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else nullcontext(raw) as file:
        head = file.read(_SAMPLE)
        of_head = raw.tell()
    return path.stat().st_size / max(of_head, 1) * head.count(b"\n")


def _plainly_typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same, texts of all kinds being texts."""
    import pyarrow as pa

    is_text = pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)
    return column.cast(pa.string()) if is_text or pa.types.is_dictionary(column.type) else column


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _encoding(path: Path) -> str:
    """What the byte-order mark of a CSV says; UTF-8 without one."""
    with _opened(path) as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _header(path: Path, encoding: str) -> tuple[str, list[str]]:
    """The delimiter of a CSV and its headings."""
    import csv

    with _opened(path) as file, io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="") as texts:
        line = texts.readline()
    if not line.strip():
        raise DataError(f"{path}: is empty; its first line must hold the names of the columns")
    bare = re.sub(r'"[^"]*"', "", line)
    delimiter = max(_DELIMITERS, key=bare.count)
    return delimiter, [name.strip() for name in next(csv.reader([line.strip("\r\n")], delimiter=delimiter))]


def _read_csv(path: Path, delimiter: str, names: list[str], headings: list[str], encoding: str) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    ragged: list[tuple[int, int, int]] = []

    def refused(row: Any) -> str:
        ragged.append((row.number, row.actual_columns, row.expected_columns))
        return "skip"

    table = csv.read_csv(
        pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None),
        read_options=csv.ReadOptions(
            use_threads=False, column_names=names, skip_rows=1, encoding="utf8" if encoding == "utf-8-sig" else encoding
        ),
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
