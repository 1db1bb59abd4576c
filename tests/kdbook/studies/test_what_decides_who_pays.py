import re

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from kdbook.chapters import what_decides_who_pays as study
from kdbook.chapters.what_decides_who_pays import charts, cifar, findings, fits, panel
from kdbook.records import book_record
from kdlib.errors import SettingError
from kdlib.runs import Store, execute

FOUR = ("share", "size", "temperature", "length")


def made_up(share=-2.0, size=0.0, noise=0.5, seeds=4, rows=200, each_class=0.0):
    """Rows of a world in which the change is known; rare classes have the larger share."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, seeds * rows)
    count = np.round(90 / 1.4**labels)
    off = np.clip(5 * labels + random.normal(0, 8, len(labels)), 0, 100)
    change = share * off / 10 + size * np.log2(count) + random.normal(0, noise, len(labels))
    return pd.DataFrame(
        {
            "family": study.LENGTHS,
            "seed": np.repeat(range(seeds), rows),
            "label": labels,
            "imbalance": 20.0,
            "temperature": random.choice([1.0, 3.0], len(labels)),
            "teacher_epochs": random.choice([40, 80, 160], len(labels)),
            "student_epochs": random.choice([40, 80], len(labels)),
            "train_count": count,
            "off_label": off,
            "teacher_margin": random.uniform(-1, 1, len(labels)),
            "difference": change + each_class * labels,
            "one_hot": 80.0,
        }
    )


def test_the_fit_finds_what_was_planted_and_tells_size_from_share():
    found = fits.coefficients(made_up(share=-2.0), FOUR).set_index("factor")
    assert found.loc["share", "low"] < -2 < found.loc["share", "high"]
    assert found.loc["share", "p_holm"] < 0.01
    assert abs(found.loc["size", "mean"]) < 0.2 and found.loc["size", "p_holm"] > 0.05
    alone = fits.coefficients(made_up(share=-2.0), ["size"]).iloc[0]
    assert alone["mean"] > 1 and alone["p_holm"] < 0.01


def test_a_seeds_coefficients_are_those_of_scikit_learn():
    table = made_up(noise=5.0, seeds=3)
    inputs = pd.DataFrame({name: fits.FACTORS[name].values(table) for name in FOUR})
    wanted, scores = [], []
    for seed in range(3):
        rows = table["seed"] == seed
        model = LinearRegression().fit(inputs[rows], table.loc[rows, "difference"])
        wanted.append(model.coef_)
        scores.append(model.score(inputs[rows], table.loc[rows, "difference"]))
    found = fits.coefficients(table, FOUR)["mean"]
    assert found.to_numpy() == pytest.approx(np.mean(wanted, axis=0))
    assert fits.explained(table, FOUR) == pytest.approx(np.mean(scores))


def test_within_a_class_its_own_level_is_no_explanation():
    table = made_up(share=-2.0, each_class=-7.0)
    confounded = fits.coefficients(table, ["share"])["mean"].item()
    within = fits.coefficients(table, ["share"], ["seed", "label"])["mean"].item()
    assert confounded < -8
    assert within == pytest.approx(-2.0, abs=0.1)


def test_factors_that_cannot_be_told_apart_are_refused():
    table = made_up().assign(temperature=3.0)
    with pytest.raises(SettingError, match="seed 0: share, temperature cannot be told apart"):
        fits.coefficients(table, ["share", "temperature"])


def test_bins_average_seeds_and_not_rows():
    table = made_up(seeds=2, rows=3).assign(
        off_label=[1.0, 1.0, 50.0, 1.0, 50.0, 50.0], difference=[1.0, 3.0, -8.0, 6.0, -10.0, -20.0]
    )
    found = fits.binned(table).set_index("bin")
    assert found.loc["0–2 %", "mean"] == pytest.approx((2 + 6) / 2)
    assert found.loc["40–60 %", "mean"] == pytest.approx((-8 - 15) / 2)
    assert list(found["classes"]) == [3, 3]


def test_what_is_foretold_is_the_mean_of_the_bin():
    table = made_up(share=-2.0, noise=0.0)
    other = made_up(noise=0.0, seeds=2, rows=40).assign(imbalance=50.0, difference=-3.0)
    found = fits.foretold(table, other).iloc[0]
    bins = fits.bin_of(table["off_label"])
    means = table.groupby(bins, observed=True)["difference"].mean()
    told = fits.bin_of(other["off_label"]).map(means).astype(float)
    assert found["foretold"] == pytest.approx(told.groupby(other["seed"]).mean().mean())
    assert (found["mean"], found["rarest_one_hot"]) == (pytest.approx(-3.0), 80.0)


def test_every_pair_differs_in_its_target_alone_and_all_runs_are_asked_for():
    asked = study.WhatDecidesWhoPays.parse(seeds=1)
    found, runs = asked.pairs, set(asked.runs())
    for pair in found:
        taught, plain = pair.taught.spec, pair.plain
        assert plain.teacher is None and taught.teacher is not None
        assert plain == taught.model_copy(update={"teacher": None, "objective": plain.objective})
        assert pair.needs <= runs
    assert {pair.family for pair in found} == {study.LENGTHS, study.RATIOS}


def test_rows_hold_what_the_runs_say(tmp_path):
    asked, store = study.WhatDecidesWhoPays.parse(seeds=1, epochs=2), Store(tmp_path)
    asked.pairs = [pair] = asked.pairs[-1:]
    results = execute(asked.runs(), store=store, jobs=1, progress=False)
    by_spec = dict(zip(asked.runs(), results, strict=True))
    table = asked.per_seed(results)
    taught, plain = by_spec[pair.taught.spec], by_spec[pair.plain]
    expected = 100 * (taught.accuracy("test") - plain.accuracy("test"))
    assert table["difference"].to_numpy() == pytest.approx(expected)
    assert table["off_label"].between(0, 100).all() and table["told_wrong"].between(0, 100).all()


def test_the_pages_sentences_follow_from_the_numbers():
    still = findings.both_models(made_up(share=-2.0, size=1.5))
    assert "still counts: +1.5" in findings.models_headline(still)
    gone = findings.both_models(made_up(share=-2.0))
    assert findings.models_headline(gone).endswith("says nothing clear")
    flat = fits.binned(made_up(share=0.0))
    assert findings.headline(flat).startswith("No share")


def test_the_record_draws_and_the_pilot_is_there():
    table = book_record("what_decides_who_pays", "quick").table
    lengths = findings.family(table, study.LENGTHS)
    drawn = fits.splits(lengths)
    charts.harm_by_share(drawn, title="t").to_dict()
    charts.alone_and_beside(findings.both_models(table), title="t").to_dict()
    assert set(drawn["split"]) == set(fits.SPLITS)
    assert len(findings.foretold_table(findings.foretold(table)).data) == 4
    assert list(cifar.pilot().index.get_level_values("epochs").unique()) == [30, 60, 200]


def planted(folder, seeds=3, of_share=-0.5, parts=(("distilled", 1.0),), block="b"):
    """A record of a block in which accuracy falls by the share, and the log-loss by the size."""
    rows, classes = [], []
    random = np.random.default_rng(1)
    for seed in range(seeds):
        share, count = random.uniform(0, 80, 10), random.integers(5, 500, 10)
        for method, part in (("one-hot", 0.0), *parts):
            taught = part > 0
            run = f"{method}{seed}"
            rows.append({"method": method, "temperature": 1.0, "seed": seed, "run": run})
            noise = random.normal(0, 0.1, 10)
            classes.append(pd.DataFrame({
                "run": run, "label": range(10), "train_count": count, "count": 100, "margin": 0.1,
                "accuracy": 50 + part * of_share * share + noise,
                "log_loss": 2 + taught * 0.1 * np.log2(count),
                "off_label": part * share if taught else np.nan,
            }))  # fmt: skip
    folder.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / f"block-{block}.csv", index=False)
    pd.concat(classes).to_csv(folder / f"block-{block}-classes.csv", index=False)
    (folder / f"block-{block}.json").write_text("{}")
    return folder


def test_classes_of_cifar_are_set_beside_the_share_of_their_target(tmp_path):
    rows = cifar.classes(planted(tmp_path))
    assert len(rows) == 30 and rows["one_hot"].between(49, 51).all()
    found = fits.coefficients(rows, ["share", "size"])
    assert found["mean"].to_numpy() == pytest.approx([-5.0, 0.0], abs=0.2)
    losses = fits.coefficients(rows.assign(difference=rows["log_loss"]), ["share", "size"])
    assert losses["mean"].to_numpy() == pytest.approx([0.0, 0.1], abs=1e-6)
    assert cifar.said(rows).startswith(
        "Per ten points more of its target off the label a class changes at 60 epochs by -5"
    )
    assert "classes at 60 epochs lose with" in cifar.headline(rows)
    assert cifar.classes(planted(tmp_path, seeds=2)).empty


def test_within_a_class_the_share_is_what_adaalpha_takes_of_it(tmp_path):
    folder = planted(tmp_path, parts=(("distilled", 1.0), ("AdaAlpha", 0.25)))
    both = cifar.classes(folder, ("distilled", "AdaAlpha"))
    share = both.groupby("method")["off_label"].mean()
    assert share["AdaAlpha"] == pytest.approx(share["distilled"] / 4)
    said = cifar.same_class_said(both)
    assert f"from {share['distilled']:.0f} to {share['AdaAlpha']:.0f} %" in said
    assert "ten points more go with -5.0 (" in said
    assert cifar.classes(planted(tmp_path), ("distilled", "AdaAlpha")).empty


def test_a_longer_training_is_foretold_by_the_bins_of_the_shorter(tmp_path):
    planted(tmp_path, seeds=8)
    planted(tmp_path, seeds=8, block="b2", parts=(("distilled", 0.25),))
    both = cifar.both_lengths(tmp_path)
    share = both.groupby("teacher_epochs")["off_label"].mean()
    assert share[200] == pytest.approx(share[60] / 4)
    said = cifar.foretold_said(both)
    assert f"From 60 epochs to 200 the mean share falls from {share[60]:.0f} to" in said
    told = re.findall(r"by (\S+) points at 200, and it does by (\S+) \(", said)
    told += re.findall(r"fifth by (\S+), and it does by (\S+) \(", said)
    assert len(told) == 2
    for foretold, found in told:
        assert float(foretold) == pytest.approx(float(found), abs=1.5)  # bins are ten points wide
    rest = both[both["teacher_epochs"] == 200]
    assert float(told[0][1]) == pytest.approx(rest["difference"].mean(), abs=0.06)
    rarest = rest[rest["label"] >= 8]
    assert float(told[1][1]) == pytest.approx(rarest["difference"].mean(), abs=0.06)
    assert "at 60 epochs" in cifar.headline(both) and "at 200 epochs" in cifar.headline(both)
    assert "shorter teachers" in set(fits.splits(both)["group"])


def test_the_log_loss_improves_in_every_class_as_the_page_says():
    changes = cifar.both_lengths().groupby(["teacher_epochs", "label"])["log_loss"].mean()
    assert len(changes) == 200 and (changes < 0).all()


def test_a_split_that_leaves_the_rows_together_is_not_offered(tmp_path):
    drawn = fits.splits(cifar.classes(planted(tmp_path, seeds=8)))
    assert set(drawn["split"]) <= {"nothing", "class"}
    options = charts.harm_by_share(drawn, title="t").to_dict()["params"][0]["bind"]["options"]
    assert options == list(drawn["split"].unique())
    with pytest.raises(SettingError, match="temperature"):
        charts.harm_by_share(drawn, title="t", shown="temperature")


def test_bars_are_coloured_by_what_such_a_share_came_with():
    found = pd.Series({"0–2 %": -0.1, "60–100 %": -29.6})
    drawn = panel.share_by_class(np.array([1.0, 70.0]), found).to_dict()
    [rows] = drawn["datasets"].values()
    assert [row["change"] for row in rows] == [-0.1, -29.6]
