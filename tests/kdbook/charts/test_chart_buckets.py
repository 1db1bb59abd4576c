"""Bucket charts draw the rows that are chosen; picture tables escape what they are given."""

import chart_frames as frames
import numpy as np
import pandas as pd
import pytest

from kdbook.chapters.where_the_teacher_errs.charts import (
    bucket_explorer,
    bucket_panels,
    picture_table,
)
from kdlib.errors import SettingError


def test_panels_draw_every_bucket_of_every_method():
    drawn = frames.marks(bucket_panels(frames.buckets(), frames.UNITS), "symbol")
    assert len(drawn) == len(frames.METHODS) * len(frames.UNITS) * 3


def test_the_explorer_draws_the_chosen_number_of_buckets_only():
    both = pd.concat([frames.buckets(n) for n in (2, 3)])
    for count in (2, 3):
        chart = bucket_explorer(both, frames.UNITS, buckets=count)
        drawn = frames.marks(chart, "symbol")
        assert len(drawn) == len(frames.METHODS) * count


IMAGES = np.full((2, 1, 8, 8), 128, dtype=np.uint8)
TABLE = pd.DataFrame({"label": ["<b>", "nine"]}, index=[7, 3])


def test_a_picture_table_has_a_picture_and_its_text_in_every_row():
    markup = picture_table(TABLE, IMAGES, ['a "b"', "a nine"])._repr_html_()
    assert markup.count('<img src="data:image/png;base64,') == 2
    assert 'alt="a &quot;b&quot;"' in markup
    assert "&lt;b&gt;" in markup and "<b>" not in markup


def test_a_picture_table_is_text_in_a_terminal():
    assert "nine" in repr(picture_table(TABLE, IMAGES, ["", ""]))


def test_a_picture_too_few_is_refused():
    with pytest.raises(SettingError, match="2 rows, 1 pictures"):
        picture_table(TABLE, IMAGES[:1], ["", ""])
