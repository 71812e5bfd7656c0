"""Orders from a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dealermarket.errors import DataError
from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.reading.codes import Words
from dealermarket.reading.columns import check_digest
from dealermarket.reading.format import Format
from dealermarket.reading.orders import OrderLog, read_orders
from dealermarket.values import Value


class RecordedOrders(Value):
    """Orders from `file`, CSV or Parquet, in place of drawn ones (docs/own-data.md).

    A column that the file has not, of reservations or of who is asked, is drawn by the investors' own `demand` and `asks`.
    `columns` says what the file calls its columns, where that is not clear: time, client, side, size, reservation, asked;
    `format` how it writes times and numbers; `sides` its words for `buy` and `sell`. With a `digest`, the SHA-256 of the file,
    another file of this name is refused.
    """

    file: Annotated[str, Field(min_length=1)]
    columns: Frozen[str, str] = FrozenMapping()
    format: Format = Format()
    sides: Frozen[str, Words] = FrozenMapping()
    digest: str | None = None

    def log(self) -> OrderLog:
        """What the file holds. Raises DataError and ParameterError, naming the field, where that is not to be had."""
        try:
            found = read_orders(self.file, self.columns, self.format, self.sides)
        except DataError as error:
            raise DataError("\n".join(f"orders.file: {line}" for line in str(error).splitlines())) from None
        check_digest(f"orders.file: {self.file}", found.digest, self.digest)
        return found
