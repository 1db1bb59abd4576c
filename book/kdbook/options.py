"""What the commands on studies share: their options, and the settings that these spell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from kdlib.errors import SettingError
from kdlib.options import root_option

if TYPE_CHECKING:
    from kdbook.study import Study

_MOST_TOGETHER = 256


class _Together(click.ParamType):
    """How many students may be trained together, from 1 to ``_MOST_TOGETHER``."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if not (text.isdecimal() and len(text) < 10 and 1 <= int(text) <= _MOST_TOGETHER):
            raise SettingError(
                f"--together {text!r} is not allowed: integer from 1 to {_MOST_TOGETHER}"
            )
        return int(text)


name_argument = click.argument("name")
profile_option = click.option(
    "--profile",
    type=click.Choice(["quick", "standard", "paper"]),
    default="quick",
    show_default=True,
    help="Scale: digits in seconds, CIFAR-100 in minutes to hours, or the paper's recipe.",
)
_seeds = click.option("--seeds", type=int, help="How many seeds, 1 to 1000  [default: profile's]")
_values = click.option(
    "--set",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another setting of the study, e.g. --set temperature=3 (see `kdlib study show`).",
)
device_option = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="[default: cuda where there is one]"
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    help="Training processes side by side  [default: one per core for digits, else 1]",
)
_together = click.option(
    "--together",
    type=_Together(),
    default=1,
    show_default=True,
    help=f"Batched training: at most so many students together, 1 to {_MOST_TOGETHER}; "
    "less time on tiny networks, other bits.",
)


def scale_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that ``plan``, ``run`` and ``record`` share."""
    for option in reversed(
        (profile_option, _seeds, _values, device_option, jobs_option, _together, root_option)
    ):
        command = option(command)
    return command


def study_options(command: Callable[..., None]) -> Callable[..., None]:
    """The study's name, and the options that ``plan``, ``run`` and ``record`` share."""
    return name_argument(scale_options(command))


def asked_for(name: str, profile: str, seeds: int | None, values: Sequence[str]) -> Study:
    """The study at the settings that the options hold.

    Raises:
        SettingError: an unknown name, or a value that is not allowed.
    """
    from kdbook.chapters import study

    pairs = [value.partition("=") for value in values]
    for key, equals, _ in pairs:
        if not equals:
            raise SettingError(f"--set {key!r} is not allowed: write NAME=VALUE")
        if key in ("profile", "seeds"):
            raise SettingError(f"--set {key} is not allowed: use --{key}")
    own = {key: text for key, _, text in pairs}
    return study(name).parse(profile=profile, seeds=seeds, **own)
