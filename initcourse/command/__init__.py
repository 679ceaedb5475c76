"""The command ``initcourse``: one file a group of commands, and the frame that they share.

A student needs one part of it, ``initcourse homework validate``; the rest is for instructors and
needs ``pip install "initcourse[instructor]"``.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from initcourse.command import homework
from initcourse.command.frame import WRONG, Refused

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``initcourse``; by default that of the process.

    Returns
    -------
    int
        0 if all is well, 1 if it is done but needs a person, 2 if it is not done.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except BrokenPipeError:  # nobody reads on, as in: initcourse … | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG
    except ModuleNotFoundError as error:
        if (error.name or "initcourse").startswith("initcourse"):
            raise
        _complain(
            f"this needs the package {error.name!r}; install it with: "
            'pip install "initcourse[instructor]"'
        )
        return WRONG
    except (Refused, ValueError, OSError) as error:
        _complain(str(error))
        return WRONG
    except KeyboardInterrupt:
        _complain("interrupted; start it again to go on")
        return WRONG
    return code


def _complain(text: str) -> None:
    print(f"initcourse: {text}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="initcourse", description="Tools of the course on weight initialization."
    )
    groups = parser.add_subparsers(required=True, metavar="homework")
    homework.add_group(groups)
    return parser
