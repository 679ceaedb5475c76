"""Compile requirements.txt from pyproject.toml: every version pinned, one set for all Pythons."""

import subprocess
import sys

HEADER = "# Compiled from pyproject.toml by `make lock`; do not edit.\n"


# Where a reader's pip must find every pinned package ready-made.
PLATFORMS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-pc-windows-msvc"]
PLATFORMS += ["x86_64-apple-darwin", "aarch64-apple-darwin"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def missing_wheels(requirements: str) -> list[str]:
    """Return a line for each platform and Python on which a pinned package has no wheel."""
    found = []
    for platform in PLATFORMS:
        for python in PYTHONS:
            command = f"uv pip compile - --python-platform {platform} --python-version {python}"
            options = "--only-binary :all: --no-deps --quiet"
            done = subprocess.run(
                [sys.executable, "-m", *command.split(), *options.split()],
                input=requirements, capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode != 0:
                found.append(f"{platform}, Python {python}: {done.stderr.strip()}")
    return found


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
    missing = missing_wheels(done.stdout)
    if missing:
        sys.exit(
            "requirements.txt is unchanged; add a bound to pyproject.toml:\n" + "\n".join(missing)
        )
    with open("requirements.txt", "w", encoding="utf-8") as file:
        file.write(HEADER + done.stdout)


if __name__ == "__main__":
    main()
