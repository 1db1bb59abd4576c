"""What leads a chapter: its claims on the paper's own data, before the same on digits."""

from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hand_records import record, rows

from kdbook.chapters import STUDIES
from kdbook.reproduction import on_cifar
from kdbook.reproduction.by_chapter import beside_cifar, chapters
from kdbook.reproduction.claims import CLAIMS
from kdbook.reproduction.on_cifar import alone, said
from kdbook.reproduction.verdicts import Verdict
from kdlib.errors import SettingError
from kdlib.metrics import holm, paired_p_value

ROOT = Path(__file__).parents[3]
RISES, FALLS = (2.0, 2.1, 2.2, 2.05, 2.15), (-9.0, -9.2, -9.1, -8.9, -9.3)
UNCLEAR = (3.0, -3.0, 0.5, -1.0, 1.0)


def measured(changes, **about):
    """A record whose distilled students differ from one-hot by these points, in every measure."""
    base = np.array((40.0, 42.0, 41.0, 43.0, 39.0))
    table = [*rows("one-hot", np.nan, base), *rows("distilled", 2.0, base + np.array(changes))]
    return record(table, **about)


def cifar(changes):
    return measured(changes, study="results", model="ResNet-20", profile="standard")


def digits(changes, study="rare_classes"):
    return measured(changes, study=study, dataset="digits", model="ResNet-8", profile="quick",
                    imbalance=100.0)  # fmt: skip


def test_only_claims_about_cifar_lead_and_each_on_a_page():
    for claim in CLAIMS:
        assert not claim.chapters or claim.where["dataset"].startswith("cifar"), claim.text
    pages = {page.rpartition("/")[2] for page in STUDIES.values()}
    assert set(chapters()) <= pages
    assert all(len(beside_cifar(name, [])) <= 3 for name in chapters())


@pytest.mark.parametrize("name", chapters())
def test_each_of_these_pages_shows_them_after_its_answer(name):
    page = next(page for page in STUDIES.values() if page.endswith(f"/{name}"))
    cells = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    answer = next(n for n, source in enumerate(sources) if "trained_where()" in source)
    assert f'on_cifar("{name}")' in sources[answer + 1]


def test_without_records_nothing_was_run():
    found = beside_cifar("rare_classes", [])
    assert {row.verdict for row in found} == {Verdict.NOT_RUN}
    assert said(found) == "On CIFAR itself these two claims have not been run."


def test_digits_alone_are_never_the_papers_data():
    found = beside_cifar("rare_classes", [digits(FALLS)])
    assert all(row.on_cifar is None and row.sign == -1 for row in found)
    assert said(found) == (
        "On CIFAR itself these two claims have not been run. "
        "Digits clearly contradict “With a long tail the mean gains”. "
        "Digits clearly agree with “With a long tail the ten worst classes lose”."
    )


def test_where_both_decide_otherwise_the_sentence_says_so():
    mean, worst = beside_cifar("rare_classes", [cifar(RISES), digits(FALLS)])
    assert (mean.sign_on_cifar, mean.sign, mean.verdict) == (1, -1, Verdict.SAME_SIGN)
    assert worst.verdict == Verdict.DIFFERS
    assert said([mean, worst]) == (
        "On CIFAR itself, of these two claims one comes out as in the paper and one comes out "
        "otherwise. Digits say the opposite of CIFAR about “With a long tail the mean gains” and "
        "“With a long tail the ten worst classes lose”."
    )


def test_an_undecided_cifar_is_no_confirmation():
    mean, _ = beside_cifar("rare_classes", [cifar(UNCLEAR), digits(RISES)])
    assert (mean.sign_on_cifar, mean.sign, mean.verdict) == (0, 1, Verdict.UNDECIDED)
    assert said([mean]).endswith(
        "“With a long tail the mean gains”; on CIFAR the seeds do not decide it."
    )
    mean, _ = beside_cifar("rare_classes", [cifar(RISES), digits(UNCLEAR)])
    assert said([mean]).endswith(
        "CIFAR decides “With a long tail the mean gains”, and digits do not."
    )


def test_what_the_correction_alone_leaves_open_is_said_with_its_p_value():
    nearly = (1.0, 2.6, 0.3, 1.9, 0.6)
    mean, worst = beside_cifar("rare_classes", [cifar(nearly), digits(UNCLEAR)])
    p = paired_p_value(nearly)
    assert 0.01 < p < 0.05 and mean.verdict is Verdict.UNDECIDED
    assert alone([mean]) == [
        f"Tested by itself, “With a long tail the mean gains” (p = {mean.on_cifar['p']:.3f}) would "
        "be decided; the correction for all claims of both papers leaves it open."
    ]
    assert alone([mean, worst])[0].endswith("leaves them open.")
    clear, _ = beside_cifar("rare_classes", [cifar(UNCLEAR), digits(UNCLEAR)])
    assert alone([clear]) == []


def test_another_length_stands_beside_the_one_that_leads():
    def block(name, changes, epochs):
        return measured(changes, study="evidence", model="ResNet-20", profile="standard",
                        settings={"block": name}, recipe={"epochs": epochs})  # fmt: skip

    both = [block("b", FALLS, 60), block("b2", UNCLEAR, 200)]
    mean, worst = beside_cifar("rare_classes", both)
    assert mean.on_cifar["record"].endswith("blockb")
    told = said([mean, worst])
    assert "At 200 epochs: “With a long tail the mean gains” +0.10 (" in told
    assert told.count("At 200 epochs") == 1 and "the ten worst classes lose” +0.10 (" in told
    assert "At 200" not in said(beside_cifar("rare_classes", both[:1]))


def test_a_claim_whose_trainings_diverge_has_no_test_of_its_own():
    broken = replace(beside_cifar("rare_classes", [cifar(RISES), digits(RISES)])[0], sign=1)
    line = {key: value for key, value in broken.on_cifar.items() if key not in ("p", "p_holm")}
    without = replace(broken, on_cifar=line | {"verdict": Verdict.UNDECIDED.value})
    assert alone([without]) == []
    assert "the seeds do not decide it" in said([without])


def test_signs_on_digits_are_corrected_for_the_claims_of_the_page():
    barely = (1.0, 2.6, 0.3, 1.9, 0.6)  # every measure changes alike: two equal p-values
    alone = paired_p_value(np.array(barely))
    together = holm([alone, alone])[0]
    assert alone < 0.05 < together
    assert [row.sign for row in beside_cifar("rare_classes", [digits(barely)])] == [0, 0]


def test_the_chapters_own_record_speaks_for_digits():
    records = [digits(RISES, study="results"), digits(FALLS)]
    assert [row.sign for row in beside_cifar("rare_classes", records)] == [-1, -1]
    others = beside_cifar("distillation", records)
    assert {row.on_digits["study"] for row in others} == {"results"}


def test_a_chapter_without_such_a_claim_is_refused():
    with pytest.raises(SettingError, match="no claim on CIFAR in 'calibration'"):
        on_cifar("calibration")


def test_the_page_names_paper_interval_setting_and_what_is_apart():
    html = on_cifar("rare_classes").data
    assert "Table 3, CIFAR-100-LT" in html and "+2.17" in html and "-1.46" in html
    assert "not ResNet-56" in html and "ratio 100, ResNet-20" in html
    assert html.count("<tr") == 3 and html.count('data-label="Digits, here"') == 2
