"""The package as a whole: light to import, one direction, documented."""

import ast
import graphlib
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import initcourse

FOLDER = Path(initcourse.__file__).parent
# The order that the package's docstring tells: the science first, then what pages are made of.
ORDER = re.findall(r":mod:`~initcourse\.([\w.]+)`", initcourse.__doc__ or "")
# A hand-in's way through the grading.
WAY = [
    "cells",
    "servant",
    "records",
    "intake",
    "hand_out",
    "comparing",
    "sandbox",
    "engine",
    "batch",
    "give_back",
]
ROOMS = [*ORDER, "homework", *(f"grading.{room}" for room in WAY)]
HEAVY = {"matplotlib", "ipywidgets", "IPython", "sklearn", "scipy", "numpy", "tabulate"}
FILES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FOLDER.rglob("*.py")
}


def imported_by(module: str) -> list[tuple[str, bool]]:
    """Return the modules that a module imports, and whether as soon as it is loaded itself."""
    tree = ast.parse(FILES[module].read_text("utf-8"))
    found = []
    for node in ast.walk(tree):
        at_once = node in tree.body
        if isinstance(node, ast.Import):
            found += [(alias.name, at_once) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                known = whole.removeprefix("initcourse.") in FILES
                found.append((whole if known else node.module, at_once))
    return found


def room_of(module: str) -> str:
    """Return the room that a module stands in; one of no room is its own."""
    return next((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), module)


SHOWN = [module for module in FILES if room_of(module) in ORDER]


def inside(module: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    names = {name for name, _ in imported_by(module)}
    return {n.removeprefix("initcourse.") for n in names if n.startswith("initcourse.")}


def modules() -> list[ModuleType]:
    """Return the modules that the docstring names: of a folder its door."""
    return [importlib.import_module(f"initcourse.{name}") for name in ORDER]


def public(module: ModuleType) -> list[tuple[str, Any]]:
    """Functions and classes that a module defines and does not hide, or that a door shows."""
    shown = getattr(module, "__all__", [name for name in vars(module) if name[0] != "_"])
    return [
        (name, value)
        for name, value in vars(module).items()
        if name in shown
        and (inspect.isfunction(value) or inspect.isclass(value) or hasattr(value, "__wrapped__"))
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
    ]


PUBLIC = {f"{m.__name__}.{name}": value for m in modules() for name, value in public(m)}


def test_a_door_shows_all_that_its_parts_do_not_hide() -> None:
    for name in ("theory", "training", "diagnosis"):
        door = importlib.import_module(f"initcourse.{name}")
        here = [m for m in FILES if m.startswith(f"{name}.") and "._" not in m]
        parts = [importlib.import_module(f"initcourse.{m}") for m in here]
        assert parts
        assert {one for part in parts for one, _ in public(part)} <= set(door.__all__)


def test_the_reference_shows_every_room_and_its_parts() -> None:
    page = (FOLDER.parent / "book" / "api.md").read_text(encoding="utf-8")
    shown = {name.removeprefix("initcourse.") for name in re.findall(r"automodule:: (\S+)", page)}
    assert set(ORDER) <= shown
    parts = [m for m in FILES if m.startswith(("theory.", "training.", "diagnosis."))]
    assert {m for m in parts if "._" not in m} <= shown


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_the_import_is_light() -> None:
    loaded = loaded_after("import initcourse")
    assert "initcourse" in loaded
    assert not loaded & HEAVY


def test_the_numerical_modules_load_numpy_alone() -> None:
    names = "initializers, activations, theory, propagation, training, datasets"
    loaded = loaded_after(f"from initcourse import {names}")
    assert loaded & HEAVY == {"numpy"}


def test_every_module_stands_in_a_room() -> None:
    doors = {"__init__", "__main__", "_checks", "command", "pages", "grading"}
    doors |= {module for module in FILES if module.startswith("command.")}
    assert {module for module in FILES if room_of(module) not in ROOMS} == doors
    assert set(ROOMS) == {room_of(module) for module in FILES} - doors
    assert len(ROOMS) == len(set(ROOMS))


@pytest.mark.parametrize("module", FILES)
def test_dependencies_run_one_way(module: str) -> None:
    if module in ("__init__", "__main__") or module.startswith("command"):
        return
    room = room_of(module)
    before = set(ROOMS[: ROOMS.index(room) + 1]) if room in ROOMS else set()
    if room == "homework":  # what a student hands in needs neither the pages nor the grading
        before = {"homework"}
    elif room.startswith("grading."):
        before = {one for one in before if one.startswith("grading.")} | {"homework"}
    assert {room_of(name) for name in inside(module)} <= before | {"_checks"}
    if room.startswith("grading."):  # through its door
        assert {name for name in inside(module) if room_of(name) == "homework"} <= {"homework"}


def test_no_circles() -> None:
    list(graphlib.TopologicalSorter({m: inside(m) - {m} for m in FILES}).static_order())


def test_students_need_nothing_of_the_grading() -> None:
    homework = [module for module in FILES if room_of(module) == "homework"]
    assert len(homework) > 5
    for module in homework:
        for name, _ in imported_by(module):
            assert not name.startswith(("nbgrader", "joblib", "distributed"))
    loaded = loaded_after("import initcourse.command, initcourse.homework")
    assert not loaded & {"nbgrader", "nbconvert", "sqlalchemy", "joblib", "distributed"}


@pytest.mark.parametrize(
    ("package", "importers"),
    [
        ("ipywidgets", {"pages.widgets.live_face"}),
        ("matplotlib", {"pages.plots", "pages.widgets.pictures"}),
        ("sklearn", {"datasets"}),
        ("tabulate", {"tables"}),
    ],
)
def test_who_imports_what(package: str, importers: set[str]) -> None:
    found = {m for m in SHOWN for name, _ in imported_by(m) if name.split(".")[0] == package}
    assert found <= importers


def test_scipy_and_scikit_learn_are_imported_where_they_are_used() -> None:
    for module in SHOWN:
        at_once = {name.split(".")[0] for name, at_once in imported_by(module) if at_once}
        assert not at_once & {"scipy", "sklearn"}, module


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_documented(name: str) -> None:
    value = PUBLIC[name]
    assert inspect.getdoc(value), name
    if inspect.isclass(value):
        for method, function in vars(value).items():
            if inspect.isfunction(function) and not method.startswith("_"):
                assert inspect.getdoc(function), f"{name}.{method}"


@pytest.mark.parametrize("name", [n for n, v in PUBLIC.items() if not inspect.isclass(v)])
def test_every_function_has_an_example_that_runs(name: str) -> None:
    document = inspect.getdoc(PUBLIC[name]) or ""
    _, found, examples = document.partition("Examples\n--------\n")
    assert found, f"{name} has no Examples"
    assert ">>> " in examples


def test_the_package_is_typed() -> None:
    assert (FOLDER / "py.typed").exists()
    for name, value in PUBLIC.items():
        if inspect.isfunction(value):
            annotated = set(value.__annotations__) - {"return"}
            assert annotated >= set(inspect.signature(value).parameters), name
            assert "return" in value.__annotations__, name
