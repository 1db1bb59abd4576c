"""What a batch is made of: chapters and studies, each at one point of the grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kdbook.batches.grid import Grid, Point, points, spelled, tag
from kdbook.chapters import FROM_RECORD, STUDIES, study
from kdbook.press.notebooks import declared_parameters, passed_parameters
from kdbook.press.project import Project
from kdbook.press.toc import Page, read_pages
from kdlib.errors import SettingError
from kdlib.names import choices

if TYPE_CHECKING:
    from kdlib.runs import RunSpec


@dataclass(frozen=True, eq=False)
class Item:
    """A chapter or a study at one point of the grid.

    Attributes:
        name: of the chapter or of the study.
        study: whose runs and table it has; ``None`` for a page without a study.
        page: the notebook to run; ``None`` for a study alone.
        profile: the scale.
        point: the parameters that differ from the defaults.
    """

    name: str
    study: str | None
    page: Page | None
    profile: str
    point: Point

    def __str__(self) -> str:
        return f"{self.name} ({spelled(self.point)})" if self.point else self.name

    @property
    def file(self) -> str:
        """A file's name of its own, without suffix."""
        return f"{self.name}-{tag(self.point)}" if self.point else self.name

    @cached_property
    def settings(self) -> Any:
        """Of its study; refused values raise ``SettingError``. ``None`` without a study."""
        if self.study is None:
            return None
        return study(self.study).Settings.parse(profile=self.profile, **self.point)

    @cached_property
    def runs(self) -> list[RunSpec]:
        """What it trains; empty where it trains no networks."""
        if self.study is None or not study(self.study).trains:
            return []
        return list(study(self.study)(self.settings).runs())

    @property
    def passed(self) -> Point:
        """What papermill passes to its notebook."""
        assert self.page is not None, "a study alone has no notebook"
        return passed_parameters(self.page, self.point, self.profile)


def chosen_items(
    names: Sequence[str], profile: str, grid: Grid, project: Project | None
) -> list[Item]:
    """Each named chapter or study at each point of the grid, in the order of the book.

    Args:
        names: of chapters and studies; a name of both is the chapter. Empty: all chapters, and each
            takes those parameters of the grid that it has.
        profile: the scale.
        grid: must fit every named chapter or study.
        project: the book; ``None`` where there is none, which has studies only.

    Raises:
        SettingError: an unknown name or parameter, or a value out of range.
    """
    pages = {page.name: page for page in read_pages(project.root) if page.runs} if project else {}
    _refuse_unknown(names, [*pages, *STUDIES], "" if project else ", and no book is here")
    wanted = [name for name in (*pages, *STUDIES) if name in names] if names else list(pages)
    known = {name: _parameters(name, pages.get(name)) for name in wanted}
    _check_names(grid, known, explicit=bool(names))
    items = [
        Item(name, _study_of(name, pages), pages.get(name), profile, point)
        for name in dict.fromkeys(wanted)
        for point in points(grid, known[name])
    ]
    for item in items:
        _ = item.settings  # refuses values before anything runs
    return items


def _refuse_unknown(names: Iterable[str], known: Sequence[str], where: str) -> None:
    for name in names:
        if name not in known:
            which = choices(name, dict.fromkeys(known))
            raise SettingError(f"{name!r} is no chapter and no study{where}: {which}")


def _study_of(name: str, pages: dict[str, Page]) -> str | None:
    """The study that a chapter trains, which is the first that names it; or the study itself."""
    if name not in pages:
        return name
    path = pages[name].path
    trained = {page: found for found, page in reversed(STUDIES.items()) if found not in FROM_RECORD}
    return trained.get(path)


def _parameters(name: str, page: Page | None) -> list[str]:
    if page is not None:
        return declared_parameters(page)
    return list(study(name).Settings.model_fields)


def _check_names(grid: Grid, known: dict[str, list[str]], *, explicit: bool) -> None:
    for parameter in grid:
        lacking = [name for name, own in known.items() if parameter not in own]
        if lacking and (explicit or len(lacking) == len(known)):
            which = choices(parameter, known[lacking[0]])
            raise SettingError(f"{lacking[0]} has no parameter {parameter!r}: {which}")
