"""Orders from a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dealermarket.errors import DataError
from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.reading.codes import Words
from dealermarket.reading.columns import Digest, check_digest
from dealermarket.reading.format import Format
from dealermarket.reading.orders import OrderLog, read_orders
from dealermarket.values import Value


class RecordedOrders(Value):
    """Orders from a file in place of drawn ones (docs/own-data.md).

    A column that the file has not, of reservations or of who is asked, is drawn by the investors' own `demand` and `asks`.
    """

    file: Annotated[str, Field(min_length=1, description="The file of orders, CSV or Parquet.")]
    columns: Annotated[
        Frozen[str, str],
        Field(
            description="What the file calls its columns time, client, side, size, reservation and asked, where that is not "
            "clear."
        ),
    ] = FrozenMapping()
    format: Annotated[Format, Field(description="How the file writes times and numbers.")] = Format()
    sides: Annotated[Frozen[str, Words], Field(description="The file's words for `buy` and `sell`, where they are others.")] = (
        FrozenMapping()
    )
    digest: Digest = None

    def log(self) -> OrderLog:
        """What the file holds. Raises DataError and ParameterError, naming the field, where that is not to be had."""
        try:
            found = read_orders(self.file, self.columns, self.format, self.sides)
        except DataError as error:
            raise DataError("\n".join(f"orders.file: {line}" for line in str(error).splitlines())) from None
        check_digest(f"orders.file: {self.file}", found.digest, self.digest)
        return found
