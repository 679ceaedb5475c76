"""Run the unit tests of the package: no notebook, no site, no homework; ``make check`` calls it."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1] / "tests"
# What these hold is slow, or needs a browser, a sandbox or a kernel.
SLOW = {
    "command",
    "conformance",
    "correlation",
    "export",
    "fresh_pages",
    "grading",
    "homework",
    "instructors_page",
    "intake",
    "lab",
    "light_pages",
    "mathematics",
    "notebooks",
    "own_settings",
    "package_wheel",
    "refresh",
    "robust",
    "sandbox",
    "set_up",
    "site",
}
BESIDE = {"grading", "homework"}  # the first two have a loop of their own


def main(options: list[str]) -> int:
    """Run pytest over the other files and the package's doctests."""
    files = [path for path in sorted(TESTS.glob("test_*.py")) if path.stem[5:] not in SLOW]
    package = TESTS.parent / "initcourse"
    inside = {path: path.relative_to(package).parts[0] for path in package.rglob("*.py")}
    modules = sorted(p for p, room in inside.items() if room not in {*BESIDE, "__main__.py"})
    named = [str(path) for path in (*files, *modules)]
    return int(pytest.main(["-q", "--no-header", *options, *named]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
