"""A table whose first column holds pictures: it wraps on a phone and follows the page's theme."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import pandas as pd

from kdbook.charts.soft_labels import digit_image
from kdlib.errors import SettingError

_WIDTH = 56


class PictureTable:
    """What ``picture_table`` gives; a notebook shows it as HTML, a terminal as text."""

    def __init__(self, markup: str, text: str) -> None:
        self._markup, self._text = markup, text

    def _repr_html_(self) -> str:
        return self._markup

    def __repr__(self) -> str:
        return self._text


def picture_table(table: pd.DataFrame, images: Any, words: Sequence[str]) -> PictureTable:
    """``table`` with a picture before each row.

    Args:
        table: one row a picture; its cells are shown as text, its index is not.
        images: uint8 ``[N, C, H, W]``, C of 1 or 3; small ones are enlarged.
        words: alt text of each picture.

    Raises:
        SettingError: the numbers of rows, pictures and texts differ.
    """
    if not len(table) == len(images) == len(words):
        raise SettingError(
            f"{len(table)} rows, {len(images)} pictures and {len(words)} texts: give one of each"
        )
    pictures = [
        f'<img src="{digit_image(image)}" width="{_WIDTH}" alt="{html.escape(text)}">'
        for image, text in zip(images, words, strict=True)
    ]
    cells = table.map(lambda cell: html.escape(str(cell)))
    cells.columns = [html.escape(str(name)) for name in cells.columns]
    cells.insert(0, "image", pictures)
    markup = cells.to_html(index=False, escape=False, border=0)
    return PictureTable(markup, table.to_string(index=False))
