"""The package as a whole: light to import, one direction, documented."""

import ast
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
# The order that the package's docstring tells.
ORDER = re.findall(r":mod:`~initcourse\.(\w+)`", initcourse.__doc__ or "")
HEAVY = {"matplotlib", "ipywidgets", "IPython", "sklearn", "scipy", "numpy", "tabulate"}


def imported_by(module: str) -> list[tuple[str, bool]]:
    """Return the modules that a module imports, and whether as soon as it is loaded itself."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))
    found = []
    for node in ast.walk(tree):
        at_once = node in tree.body
        if isinstance(node, ast.Import):
            found += [(alias.name, at_once) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            if node.module == "initcourse":
                found += [(f"initcourse.{alias.name}", at_once) for alias in node.names]
            else:
                found.append((node.module, at_once))
    return found


def modules() -> list[ModuleType]:
    return [importlib.import_module(f"initcourse.{name}") for name in ORDER]


def public(module: ModuleType) -> list[tuple[str, Any]]:
    """Functions and classes that a module defines and does not hide."""
    return [
        (name, value)
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value) or hasattr(value, "__wrapped__"))
        and value.__module__ == module.__name__
    ]


PUBLIC = {f"{m.__name__}.{name}": value for m in modules() for name, value in public(m)}


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


def test_the_docstring_names_every_module() -> None:
    internal = {"__init__", "__main__", "_checks", "command"}
    stored = {path.stem for path in FOLDER.glob("*.py")} - internal
    assert stored == set(ORDER)
    assert len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("module", ORDER)
def test_dependencies_run_one_way(module: str) -> None:
    earlier = {"initcourse._checks"} | {f"initcourse.{m}" for m in ORDER[: ORDER.index(module)]}
    inside = {name for name, _ in imported_by(module) if name.split(".")[0] == "initcourse"}
    assert inside <= earlier
    assert "initcourse.widgets" not in inside


def test_students_need_nothing_of_the_grading() -> None:
    homework = [f"homework/{path.stem}" for path in (FOLDER / "homework").glob("*.py")]
    assert len(homework) > 5
    for module in homework:
        for name, _ in imported_by(module):
            assert not name.startswith(("initcourse.grading", "nbgrader", "joblib", "distributed"))
    loaded = loaded_after("import initcourse.command, initcourse.homework")
    assert not loaded & {"nbgrader", "nbconvert", "sqlalchemy", "joblib", "distributed"}


@pytest.mark.parametrize(
    ("package", "importers"),
    [
        ("ipywidgets", {"widgets"}),
        ("matplotlib", {"plots", "widgets"}),
        ("sklearn", {"datasets"}),
        ("tabulate", {"tables"}),
    ],
)
def test_who_imports_what(package: str, importers: set[str]) -> None:
    found = {m for m in ORDER for name, _ in imported_by(m) if name.split(".")[0] == package}
    assert found <= importers


def test_scipy_and_scikit_learn_are_imported_where_they_are_used() -> None:
    for module in ORDER:
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
