import pytest
from chart_frames import NUMBERS, VERDICTS

from kdbook.reproduction import Verdict
from kdbook.reproduction.charts import VERDICT_COLOURS, printed_and_ours, verdict_bars
from kdlib.errors import SettingError


def test_every_verdict_has_a_colour():
    assert list(VERDICT_COLOURS) == [verdict.value for verdict in Verdict]


def test_bars_count_numbers_by_each_column():
    spec = verdict_bars(VERDICTS, by={"table": "table", "dataset": "data set"}).to_dict()
    (data,) = spec["datasets"].values()
    found = {(row["by"], row["group"], row["verdict"]): row["measurements"] for row in data}
    assert found[("data set", "CIFAR-100", "same sign")] == 2
    assert found[("table", "Table 1", "differs")] == 1
    assert sum(n for (by, *_), n in found.items() if by == "table") == 3
    assert spec["params"][0]["bind"]["options"] == ["table", "data set"]
    assert "2 same sign, 1 differs" in spec["description"]


def test_a_list_chooses_the_table():
    spec = printed_and_ours(NUMBERS).to_dict()
    (choice,) = [one for one in spec["params"] if one["name"] == "table"]
    assert choice["bind"]["options"] == ["Table 1", "Table 3"]
    assert "2 differences of 2 tables" in spec["description"]


@pytest.mark.parametrize("column", list(NUMBERS))
def test_a_missing_column_is_named(column):
    with pytest.raises(SettingError, match=f"lacks the column {column}"):
        printed_and_ours(NUMBERS.drop(columns=column))
