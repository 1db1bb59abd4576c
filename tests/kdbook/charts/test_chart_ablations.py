"""What the choice of an ablation draws."""

import chart_frames as frames
import pytest

from kdbook.chapters.ablations.charts import ablation_explorer
from kdlib.errors import SettingError


def drawn(kind, chosen):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    return frames.marks(ablation_explorer(*frames.ablations(), chosen=chosen), kind)


@pytest.mark.parametrize(("chosen", "first"), [("shuffled", 0.2), ("distilled", 0.4)])
def test_bars_and_dots_are_those_of_the_chosen_ablation(chosen, first):
    weights = [bar["mean"] for bar in drawn("rect", chosen) if bar.get("method") == chosen]
    assert weights == pytest.approx([first + 0.1 * c for c in frames.CLASSES])
    dots = [d for d in drawn("symbol", chosen) if d["method"] == "the chosen ablation"]
    wanted = 33 if chosen == "shuffled" else 89
    assert dots[0]["mean"] == wanted and len(dots) == len(frames.CLASSES)


def test_ada_alpha_and_one_hot_are_always_there():
    methods = {dot["method"] for dot in drawn("symbol", "shuffled")}
    assert methods == {"AdaAlpha", "one-hot", "the chosen ablation"}


def test_an_ablation_without_accuracy_is_refused():
    weights, accuracy = frames.ablations()
    with pytest.raises(SettingError, match="accuracy lacks the method shuffled"):
        ablation_explorer(weights, accuracy[accuracy["method"] != "shuffled"])
