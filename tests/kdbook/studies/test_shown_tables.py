"""Tables as pages show them: headings in words, no row numbers, no NaN; tested differences."""

import re

import numpy as np
import pandas as pd
import pytest

from kdbook import compare, tables


def texts(styler):
    """Headings and cells of a table as its reader meets them."""
    rows = styler.to_html().split("</tr>")
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return cells[0], cells[1:-1]


def test_a_named_index_heads_a_column_and_numbers_get_one_decimal():
    frame = pd.DataFrame({"worst class": [1.25, np.nan]}, pd.Index(["a", "b"], name="method"))
    styler = tables.shown(frame, "What was found.")
    heads, cells = texts(styler)
    assert heads == ["method", "worst class"]
    assert cells == [["a", "1.2"], ["b", "–"]]
    assert "What was found." in styler.to_html() and "nan" not in styler.to_html().lower()


def test_an_index_without_a_name_is_left_out_and_levels_are_joined():
    columns = pd.MultiIndex.from_tuples([("teacher labels", "points"), ("p", "")])
    heads, cells = texts(tables.shown(pd.DataFrame([["+1", "0.5"]], columns=columns), "Two."))
    assert heads == ["teacher labels, points", "p"] and cells == [["+1", "0.5"]]


def test_words_stand_at_the_left_and_numbers_at_the_right():
    frame = pd.DataFrame(
        {
            "what": ["ten worst", "“Claim” fails", "–"], "points": ["+1.0", "not run", "–"],
            "p": [0.1, 0.2, 0.3], "none": ["–", np.nan, "–"], "mixed": ["a", 1, "b"],
        }
    )  # fmt: skip
    rule = r"(t[hd]):nth-child\((\d+)\) {\s*text-align: left;"
    html = tables.shown(frame, "Five.").to_html()
    assert re.findall(rule, html) == [("th", "1"), ("td", "1")]


def test_a_table_is_the_same_at_every_build():
    frame = pd.DataFrame({"a": [1.0]})
    assert tables.shown(frame, "Same.").to_html() == tables.shown(frame, "Same.").to_html()


def test_no_line_breaks_an_interval():
    assert (
        tables.unbroken(pd.DataFrame({"a": ["1 (0 to 2)", 3]})).loc[0, "a"]
        == "1 (0\u00a0to\u00a02)"
    )


DIFFERENCES = pd.DataFrame(
    {
        "comparison": ["a − b", "c − b", "d − b"], "measure": "mean", "mean": [2.0, -1.0, 0.5],
        "low": [1.0, -3.0, np.nan], "high": [3.0, 1.0, np.nan], "seeds": 5,
    }
)  # fmt: skip


@pytest.mark.parametrize("column", ["holm", "p_holm"])
def test_differences_come_with_interval_and_corrected_p(column):
    rows = DIFFERENCES.assign(**{column: [0.0001, 0.4004, np.nan]})
    found = compare.tested(rows, {"comparison": "difference"})
    assert list(found) == ["difference", "points (95 % interval)", "p, corrected"]
    assert found["points (95 % interval)"][0] == "+2.0 (+1.0 to +3.0)"
    assert found["p, corrected"].tolist() == ["<0.001", "0.400", "too few seeds"]


def test_a_star_marks_what_holds():
    rows = DIFFERENCES.assign(cell=["+2.0", "-1.0", "+0.5"], holds=[True, False, False])
    assert compare.starred(rows)["mean"].tolist() == ["+2.0 *", "-1.0", "+0.5"]


def test_a_single_record_is_named_in_the_caption_and_several_in_a_column():
    rows = pd.DataFrame({"mean": ["1"]}, pd.Index(["one-hot"], name="method"))
    one = pd.concat({"paper, H200": rows}, names=["recorded"])
    shown = tables.recorded_shown(one, "Accuracy")
    assert shown.caption == "Accuracy (paper, H200)." and list(shown.data) == ["method", "mean"]
    two = pd.concat({"paper": rows, "standard": rows}, names=["recorded"])
    assert list(tables.recorded_shown(two, "Accuracy").data) == ["recorded", "method", "mean"]
    assert tables.recorded_shown("Not run yet.", "Accuracy") == "Not run yet."
