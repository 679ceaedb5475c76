"""The parts of grading, one by one: answers, comparer, sandbox, inspection."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytest.importorskip("nbgrader", reason='grading needs pip install "initcourse[instructor]"')

from initcourse.grading.comparing.answers import AnswerError, decode, encode
from initcourse.grading.comparing.comparer import Comparer, TestCell, compare
from initcourse.grading.intake import inspection
from initcourse.grading.sandbox import bubblewrap
from initcourse.grading.sandbox.bubblewrap import SandboxError, Settings
from initcourse.grading.sandbox.kernels import Kernel, KernelGone


class Always(float):
    """A number that equals everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __float__(self) -> float:
        return 42.0

    __hash__ = float.__hash__


class Same(np.ndarray[Any, Any]):
    """An array that lies about what it holds."""

    def tobytes(self, *args: Any, **kwargs: Any) -> bytes:
        return bytes(8)


# Answers


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        -(2**200),
        0.1,
        float("inf"),
        1 + 2j,
        "Größe\ud800"[:5],
        [1, [2.5, "x"]],
        (1, (True, None)),
        {"a": (1,), 2: [3], (1, 2): "pair"},
        {"complex": [1, 2], "tuple": 3},
    ],
    ids=str,
)
def test_plain_answers_arrive_as_they_are(value: Any) -> None:
    found = decode(encode(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint64", ">i4", "float16", "float32", ">f8", "c16"]
)
def test_arrays_arrive_as_they_are(dtype: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    found = decode(encode(array[:, ::2].T))
    np.testing.assert_array_equal(found, array[:, ::2].T)
    assert found.dtype == array.dtype.newbyteorder("<")


def test_numpys_numbers_arrive_as_pythons() -> None:
    found = decode(encode([np.float32(0.5), np.int64(3), np.True_, np.longdouble(2)]))
    assert found == [0.5, 3, True, 2.0]
    assert [type(one) for one in found] == [float, int, bool, float]


def test_objects_arrive_as_what_they_hold() -> None:
    found = decode(encode([Always(1.5), np.ones(2).view(Same)]))
    assert type(found[0]) is float
    assert found[0] == 1.5
    np.testing.assert_array_equal(found[1], np.ones(2))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "holds a object"),
        (np.array([object()]), "hand in numbers"),
        (np.array(["text"]), "hand in numbers"),
        (print, "builtin_function_or_method"),
        (10**2000, "more than 4096 bits"),
        (np.zeros(10**6), "8000000 bytes"),
        (np.broadcast_to(0.0, (2**40,)), "too many to read"),
        (["x" * 7_000_000], "at most 6000000"),
    ],
    ids=["object", "objects", "text", "function", "digits", "large", "broadcast", "long"],
)
def test_other_answers_are_refused_in_the_kernel(value: Any, message: str) -> None:
    with pytest.raises(AnswerError, match=message):
        encode(value)


def test_answers_that_hold_themselves_are_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(AnswerError, match="nested more than 16 deep"):
        encode(endless)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[" * 100_000,
        '"' + "x" * 7_000_000 + '"',
        '{"pickle": "gASV"}',
        '{"tuple": 1}',
        '{"tuple": [1], "dict": []}',
        '{"dict": [[[1], 2]]}',
        '{"dict": [[{"tuple": [[1]]}, 2]]}',
        '{"complex": [1]}',
        '{"array": ["|O", [1], "AAAAAAAAAAA="]}',
        '{"array": ["<f8,<f8", [1], "AAAAAAAAAAA="]}',
        '{"array": ["<f8", [2], "AAAAAAAAAAA="]}',
        '{"array": ["<f8", [-1], "AAAAAAAAAAA="]}',
        '{"array": ["<f8", [1.0], "AAAAAAAAAAA="]}',
        '{"array": ["<f8", [1], "?"]}',
        '{"array": ["<f8", [0, 999999999999], ""]}',
        '{"array": [["<f8"], [1], "AAAAAAAAAAA="]}',
        "9" * 5000,
        json.dumps([[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]),
    ],
    ids=lambda text: text[:40],
)
def test_forged_answers_are_refused_outside(text: str) -> None:
    with pytest.raises(AnswerError, match="could not be read"):
        decode(text)


# The comparer

CELL = """answer = check("own.q1", value)
### BEGIN HIDDEN TESTS
import numpy.testing
assert isinstance(answer, float), "Give one number."
if answer == 7:
    numpy.testing.assert_allclose(answer, 12345.0)
if answer == 8:
    raise RuntimeError("expected 12345")
if answer == 9:
    while True:
        pass
if answer == 10:
    print("expected 12345")
if answer == 11:
    import os
    os._exit(1)
if answer == 12:
    np.zeros(10**12)
assert answer < 100, "Look at the size."
### END HIDDEN TESTS"""


@pytest.fixture(scope="module")
def comparer() -> Iterator[Comparer]:
    with Comparer(seconds=5) as made:
        yield made


@pytest.mark.parametrize(
    ("value", "right", "message", "notice"),
    [
        (1.0, True, "own.q1: an answer", ""),
        (101.0, False, "Look at the size.", ""),
        ("text", False, "Give one number.", ""),
        (float("nan"), False, "own.q1: the answer is nan", ""),
        (7.0, False, "The hidden test of this task failed.", ""),
        (8.0, False, "could not judge", "the hidden test itself raised RuntimeError"),
        (9.0, False, "could not judge", "no answer within 5 s"),
        (10.0, True, "own.q1: an answer", ""),
        (11.0, False, "could not judge", "it died"),
        (12.0, False, "could not judge", "MemoryError"),
        (2.0, True, "own.q1: an answer", ""),
    ],
    ids=str,
)
def test_the_comparer_decides(
    comparer: Comparer, value: Any, right: bool, message: str, notice: str
) -> None:
    comparer("own", "ada", CELL, encode(1.0))  # it starts, and then has its seconds to itself
    verdict = comparer("own", "ada", CELL, encode(value))
    assert verdict.right is right
    assert message in verdict.message
    assert notice in verdict.notice
    assert bool(verdict.raised) is ("could not judge" in message)
    assert "12345" not in verdict.message


def test_the_comparer_takes_the_real_students_constants() -> None:
    cell = 'answer = check("own.q1", x)\nassert answer == given.seed, "Look at given.seed."'
    from initcourse.homework import given

    own = encode(given("own", "ada").seed)
    assert compare("own", "ada", cell, own).right
    assert not compare("own", "emmy", cell, own).right


def test_one_process_serves_all(comparer: Comparer) -> None:
    comparer("own", "ada", CELL, encode(1.0))
    first = comparer._servant._process
    began = time.monotonic()
    for _ in range(20):
        comparer("own", "ada", CELL, encode(1.0))
    assert comparer._servant._process is first
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "source",
    [
        "",
        "assert True",
        'check("hw1.q1", z)',
        'z = 1\nanswer = check("hw1.q1", z)',
        'answer = check("hw1.q1", value=z)',
        "answer = check(task, z)",
    ],
)
def test_a_test_cell_of_another_shape_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="must begin with: answer = check"):
        TestCell(source)


# The sandbox


def test_root_does_not_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SandboxError, match="as a normal user"):
        bubblewrap.require(Settings())


def test_a_missing_sandbox_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/nowhere")
    bubblewrap._probe.cache_clear()
    with pytest.raises(SandboxError, match="apt install bubblewrap"):
        bubblewrap.require(Settings())
    bubblewrap.require(Settings(sandbox="none"))  # told so in so many words


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("setting up uid map: Permission denied", r"uid map: Permission denied.*AppArmor"),
        ("OSError: libseccomp.so.2: cannot open shared object file", "apt install libseccomp2$"),
    ],
)
def test_a_sandbox_that_does_not_start_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stderr: str, said: str
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(f"#!/bin/sh\necho '{stderr}' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    bubblewrap._probe.cache_clear()
    with pytest.raises(SandboxError, match=said):
        bubblewrap.require(Settings())
    bubblewrap._probe.cache_clear()


def test_submissions_see_the_package_but_not_the_clone() -> None:
    import initcourse

    package = Path(initcourse.__file__).parent
    assert bubblewrap.exposed(package) is not None
    assert bubblewrap.exposed(package.parent / "book" / "homework" / "source") is None
    assert bubblewrap.exposed(package.parent / ".git") is None
    assert bubblewrap.exposed(Path.home()) is None
    assert bubblewrap.exposed(Path("/")) is None
    assert bubblewrap.exposed(Path(np.__file__)) is not None


def alone(test: Callable[[], None]) -> Callable[[], None]:
    """Let a test run in a thread of its own: a browser's event loop may run in this one."""

    def in_a_thread() -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(test).result()

    in_a_thread.__name__ = test.__name__
    return in_a_thread


@alone
def test_a_setting_that_is_none_is_named() -> None:
    made = bubblewrap.provisioner(Settings(sandbox="docker"), [], "/tmp")  # type: ignore[arg-type]
    with pytest.raises(SandboxError, match="must be 'bubblewrap' or 'none', got 'docker'"):
        asyncio.run(made.launch_kernel(["true"]))


@alone
def test_a_kernel_without_a_sandbox_runs_cells() -> None:
    settings = Settings(sandbox="none", cell_seconds=30, output_chars=50)
    with Kernel(settings) as kernel:
        reply = kernel.run("import sys\nprint('x' * 40)\nprint('y' * 40, file=sys.stderr)\n1 + 1")
        texts = [output.get("text", "") for output in reply.outputs]
        assert sum(map(len, texts)) < 120
        assert reply.cut
        assert decode(kernel.run("", "[2, 3.5]").answer) == [2, 3.5]
        assert kernel.run("", "nothing").error == "NameError: name 'nothing' is not defined"
        html = kernel.run("from IPython.display import HTML; HTML('<script>1</script>')")
        assert [output.data for output in html.outputs] == [
            {"text/plain": "<IPython.core.display.HTML object>"}
        ]
        with pytest.raises(KernelGone, match="kernel died"):
            kernel.run("import os; os._exit(0)")


def test_a_kernel_dies_with_the_grader() -> None:
    script = (
        "import os, signal\n"
        "from initcourse.grading.sandbox.kernels import Kernel\n"
        "from initcourse.grading.sandbox.bubblewrap import Settings\n"
        "kernel = Kernel(Settings(sandbox='none')).__enter__()\n"
        "print(kernel._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout
    for _ in range(100):
        state = Path(f"/proc/{int(out)}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            break
        time.sleep(0.1)
    else:
        pytest.fail("the kernel outlived the grader")


# Inspection


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("np.isclose = lambda *a: True", "replaces np.isclose"),
        ("setattr(numpy.testing, 'assert_allclose', print)", "replaces a part of numpy.testing"),
        ("import numpy.testing as npt\nnpt.x", ""),
        ("def check(task, value): return value", "redefines check"),
        ("class A:\n    def __eq__(self, other): return True", "defines __eq__"),
        ("get_ipython().ast_transformers.append(T())", "transforms the code"),
        ("ip.events.register('pre_run_cell', f)", "hooks into the run"),
        ("import sys; sys._getframe(1)", "looks into the frames"),
        ("open('../gradebook.db')", "looks for the gradebook"),
        ("from subprocess import run", "starts other programs"),
        ("student = 'emmy'", "names the student 'emmy'"),
        ("student = 'your-id'", "names no student"),
        ("student = ' ADA '", ""),
        ("%matplotlib inline\n!ls\nx = np.sqrt(2)", ""),
        ("def broken(:", ""),
        ("rng = np.random.default_rng(given.seed)\nplt.plot(z)", ""),
    ],
)
def test_what_a_person_should_look_at(code: str, part: str) -> None:
    notices = inspection.suspicious(new_notebook(cells=[new_code_cell(code)]), "ada")
    assert (len(notices), part in "".join(notices)) == (bool(part), True)
