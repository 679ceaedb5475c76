"""Compile requirements.txt from pyproject.toml: every version pinned, one set for all Pythons."""

import subprocess
import sys

HEADER = "# Compiled from pyproject.toml by `make lock`; do not edit.\n"


def main() -> None:
    """Write requirements.txt, without the addresses that it was resolved from."""
    # One version of each package for all Pythons, so that all give the stored outputs.
    command = [
        "uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras",
        "--fork-strategy fewest",
        "--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet",
    ]
    done = subprocess.run(
        [sys.executable, "-m", *" ".join(command).split()], capture_output=True, text=True
    )
    if done.returncode != 0:
        sys.exit(f"requirements.txt is unchanged; uv says:\n{done.stderr}")
    with open("requirements.txt", "w", encoding="utf-8") as file:
        file.write(HEADER + done.stdout)


if __name__ == "__main__":
    main()
