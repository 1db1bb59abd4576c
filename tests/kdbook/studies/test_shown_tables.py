"""Tables as a page shows them."""

import pandas as pd

from kdbook import tables


def test_a_table_has_a_caption_one_row_of_headings_and_no_row_numbers():
    html = tables.shown(pd.DataFrame({"mean": [1.25, None]}), "In percent.").to_html()
    assert "<caption>In percent.</caption>" in html
    assert html.count("<tr") == 3 and "nan" not in html
    assert html.count("<th ") == 1


def test_a_named_index_heads_a_column_and_levels_are_joined():
    columns = pd.MultiIndex.from_tuples([("ours", "mean"), ("ours", "")])
    frame = pd.DataFrame([[1.0, 2.0]], pd.Index(["one-hot"], name="method"), columns)
    assert list(tables.shown(frame, "x").data.columns) == ["method", "ours, mean", "ours"]


def test_an_interval_does_not_break_within_its_brackets():
    frame = tables.unbroken(pd.DataFrame({"cell": ["+1.0 (-2.0 to +4.0)"], "seeds": [3]}))
    assert frame["cell"].item() == "+1.0 (-2.0\u00a0to\u00a0+4.0)"
    assert frame["seeds"].item() == 3


def test_a_single_record_is_named_in_the_caption_and_several_in_a_column():
    rows = pd.DataFrame({"mean": ["1"]}, pd.Index(["one-hot"], name="method"))
    one = pd.concat({"paper, H200": rows}, names=["recorded"])
    shown = tables.recorded_shown(one, "Accuracy")
    assert shown.caption == "Accuracy (paper, H200)." and list(shown.data) == ["method", "mean"]
    two = pd.concat({"paper": rows, "standard": rows}, names=["recorded"])
    assert list(tables.recorded_shown(two, "Accuracy").data) == ["recorded", "method", "mean"]
    assert tables.recorded_shown("Not run yet.", "Accuracy") == "Not run yet."
