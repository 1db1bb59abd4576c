"""Charts of calibration: what they ask for and what they say."""

import pandas as pd
import pytest

from kdbook.chapters.calibration import theory
from kdbook.chapters.calibration.charts import class_error_points, panda_explorer
from kdlib.errors import SettingError


def test_the_panda_s_factor_is_a_slider():
    factors = (0.1, 0.2)
    curves = {f: theory.cat_and_panda(f, points=11) for f in factors}
    outcomes = [theory.recall_and_error(c).assign(shrink=f) for f, c in curves.items()]
    all_curves = pd.concat([c.assign(shrink=f) for f, c in curves.items()])
    chart = panda_explorer(all_curves, pd.concat(outcomes)).to_dict()
    (slider,) = [p for p in chart["params"] if p["name"] == "factor"]
    assert slider["value"] == 0.2 and slider["bind"]["step"] == 0.1
    assert "from 0.2 to 0.1 times" in chart["description"]


def test_points_by_class_and_method():
    rows = [
        {"method": m, "label": k, "mean": 0.1 * k, "low": 0.0, "high": 0.5}
        for m in ("teacher std", "teacher rob")
        for k in range(3)
    ]
    chart = class_error_points(pd.DataFrame(rows), title="Errors", y="error (0 to 2)").to_dict()
    assert "2 methods for 3 classes" in chart["description"]
    assert "largest is 0.20" in chart["description"]
    with pytest.raises(SettingError, match="lacks"):
        class_error_points(pd.DataFrame(rows).drop(columns="low"), title="", y="")
