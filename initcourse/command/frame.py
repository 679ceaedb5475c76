"""What the commands share: how one is added, what can be typed, how it ends."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

WELL, LOOK, WRONG = 0, 1, 2

CODES = "Exit code: 0 all is well, 1 done but something needs a person, 2 not done."


class Refused(Exception):
    """What was asked cannot be done; the message says why, and what to do."""


class Adder:
    """Add commands that look alike: what it does, an example, the course's folder."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands

    def __call__(
        self,
        name: str,
        run: Callable[[argparse.Namespace], int],
        help: str,
        text: str,
        *,
        course: bool = True,
    ) -> argparse.ArgumentParser:
        """Add one command, and return its parser for what else can be typed."""
        parser = self.commands.add_parser(
            name,
            help=help,
            description=text,
            epilog=CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(run=run)
        if course:
            parser.add_argument(
                "--course",
                metavar="FOLDER",
                type=Path,
                default=Path(),
                help="the course's folder (default: the current one)",
            )
        return parser


def count(text: str) -> int:
    """Return a number of 1 or more that was typed."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def show_list(title: str, lines: Iterable[str]) -> None:
    """Print lines under a title, if there are any."""
    shown = list(lines)
    if shown:
        print(f"{title}:")
        for line in shown:
            print(f"  {line}")
