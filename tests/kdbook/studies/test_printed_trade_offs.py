"""The paper's grid: counts, its own table beside it, and what Table 2 says of it."""

import pytest

from kdbook.chapters.trade_offs import printed
from kdbook.published import published


def test_each_of_six_panels_has_a_whole_grid():
    grid = printed.grid()
    assert len(grid) == 150 and not grid.isna().any().any()
    assert (grid.groupby("dataset").size() == 25).all()
    assert not grid.duplicated(["dataset", "alpha_t", "alpha_s"]).any()


def test_points_are_those_of_the_list_of_printed_numbers():
    rows = published(paper=printed.PAPER, table=printed.FIGURE, dataset="cifar100_lt")
    rows = rows[(rows["alpha_t"] == 0) & (rows["alpha_s"] == 0.5)]
    assert rows["value"].tolist() == [44.51, 18.15]
    point = printed.grid().query("dataset == 'cifar100_lt' and alpha_t == 0 and alpha_s == 0.5")
    assert point[["mean", "worst"]].to_numpy().tolist() == [[44.51, 18.15]]
    assert point["frontier"].all()


def test_on_balanced_sets_standard_distillation_is_the_balanced_cell():
    """Without a tail the two objectives are one."""
    grid = printed.grid().query("alpha_t == 0 and alpha_s == 0").set_index("dataset")
    for _, row in printed.standard().iterrows():
        same = row["mean"] == grid.loc[row["dataset"], "mean"]
        assert same == (not row["dataset"].endswith("_lt"))


@pytest.mark.parametrize(
    ("dataset", "found"),
    [
        ("cifar10", "Supp Figure 1 at (0.75, 0)"),
        ("cifar100", "Supp Figure 1 at (1, 0)"),
        ("tinyimagenet", "Supp Figure 1 at (0.25, 0)"),
        ("cifar100_lt", "nowhere"),
        ("tinyimagenet_lt", "nowhere"),
    ],
)
def test_where_the_selected_points_stand(dataset, found):
    assert printed.selected().set_index("dataset").loc[dataset, "found"] == found


def test_a_selected_point_of_the_long_tail_is_a_cell_of_the_nine():
    row = printed.selected().set_index("dataset").loc["cifar10_lt"]
    assert "bal / rob-d, onehot labels" in row["found"] and "Figure" not in row["found"]


def test_frontiers_and_slopes_are_by_panel():
    counts = printed.frontiers()
    assert counts["points"].sum() == printed.grid()["frontier"].sum()
    assert (counts["alpha_t < 1"] <= counts["points"]).all()
    assert printed.slopes().query("alpha == 'alpha_s'")["mean"].lt(0).all()
