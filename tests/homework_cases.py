"""A small homework, and made submissions for it: honest, careless and hostile.

Each case is a function that takes an honest notebook apart, and what must come of it: the points of
the tasks, or the reason why there are none.
"""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HOMEWORK = "probe"
PORT = 47317  # the tests listen here
SECRET = "the-hidden-tests-know-this"
CELL_SECONDS, NOTEBOOK_SECONDS, MEMORY_MB = 4.0, 10.0, 1024
PATIENCE = 3.0  # times as long on the clock

IMPORTS = (
    "import numpy as np\nfrom initcourse import homework\nfrom initcourse.homework import check"
)
SOLUTIONS = {
    "q1": "root = np.sqrt(given.seed)",
    "q2": "ramp = np.arange(8) * given.seed",
    "q3": "def scaled(x):\n    return {'value': x * given.seed}",
    "q4": "total = np.loadtxt('data/numbers.csv').sum() + given.seed",
}
WRONG = {
    "q1": "root = 1.0",
    "q2": "ramp = np.zeros(8)",
    "q3": "def scaled(x):\n    return {'value': x}",
    "q4": "total = 0.0",
}
ANSWERS = {
    "q1": "root",
    "q2": "ramp",
    "q3": "[scaled(x)['value'] for x in (1, 2, 5)]",
    "q4": "total",
}
TESTS = {
    "q1": 'assert np.isclose(answer, np.sqrt(given.seed)), "Take the square root of the seed."',
    "q2": 'assert np.allclose(answer, np.arange(8) * given.seed), "Each step adds the seed."',
    "q3": 'assert np.allclose(answer, [given.seed, 2 * given.seed, 5 * given.seed]), "Multiply."',
    "q4": 'assert np.isclose(answer, 10 + given.seed), "Add the seed to the sum of the file."',
}
POINTS = {"q1": 2, "q2": 2, "q3": 3, "q4": 1, "q5": 4}
FULL = {"q1": 2, "q2": 2, "q3": 3, "q4": 1}


def source() -> NotebookNode:
    """Return the homework's source."""
    cells = [
        _cell(IMPORTS, "imports", locked=True),
        _cell('student = "your-id"', ""),
        _cell('given = homework.given("probe", student)', "given", locked=True),
    ]
    for task, solution in SOLUTIONS.items():
        cells += [
            _cell(f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION", task, solution=True),
            _cell(
                f'answer = check("probe.{task}", {ANSWERS[task]})\n### BEGIN HIDDEN TESTS\n'
                f"# {SECRET}\n{TESTS[task]}\n### END HIDDEN TESTS",
                f"{task}-test",
                grade=True,
                locked=True,
                points=POINTS[task],
            ),
        ]
    explained = "### BEGIN SOLUTION\nBecause it grows.\n### END SOLUTION"
    cells.append(
        _cell(explained, "q5", new_markdown_cell, grade=True, solution=True, points=POINTS["q5"])
    )
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(
        cells=cells, metadata={"kernelspec": spec, "initcourse": {"homework": HOMEWORK}}
    )


def _cell(
    text: str, name: str, make: Callable[..., NotebookNode] = new_code_cell, **flags: Any
) -> NotebookNode:
    cell = make(text)
    cell.id = f"probe-{name or 'student'}"
    if name:
        defaults = {"grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": name,
            **defaults,
            **flags,
        }
    return cell


@dataclass(frozen=True)
class Case:
    """A made submission, and what must come of it."""

    name: str
    make: Callable[["Draft"], None]
    points: dict[str, float] | None = None  # of the automatic tasks
    reason: str = ""  # why there are none
    notice: str = ""  # part of what a person is told
    manual: float | None = 0.0  # of the task for a person; nothing written is 0
    output: str = ""  # part of what the graded notebook shows


class Draft:
    """A submission in the making: a filled copy, and the folder where it will lie."""

    def __init__(self, released: NotebookNode, student: str, path: Path) -> None:
        self.notebook, self.student, self.path = deepcopy(released), student, path
        self.written = False
        self.names(student)
        self.fill(SOLUTIONS)

    def names(self, student: str) -> None:
        """Type a student's id."""
        self.cell("probe-student").source = f'student = "{student}"   # the id from your course'

    def fill(self, answers: dict[str, str]) -> None:
        """Write answers to tasks."""
        for task, code in answers.items():
            self.cell(f"probe-{task}").source = code

    def cell(self, name: str) -> NotebookNode:
        """Return a cell by its id."""
        return next(cell for cell in self.notebook.cells if cell.id == name)

    def place(self, name: str) -> int:
        """Return where a cell stands."""
        return self.notebook.cells.index(self.cell(name))

    def insert(self, code: str, before: str = "probe-q1") -> None:
        """Put a cell of one's own before another one."""
        self.notebook.cells.insert(self.place(before), new_code_cell(code))

    def write(self, data: bytes | None = None) -> None:
        """Hand in these bytes, or the notebook as it stands."""
        self.written = True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.notebook, ensure_ascii=True).encode()
        self.path.write_bytes(text if data is None else data)


def build(course: Any, release: Callable[[Any, str], Path], names: Sequence[str] = ()) -> None:
    """Make the course's homework, and all submissions or those of these names."""
    released = prepare(course, release)
    for case in CASES:
        if not names or case.name in names:
            draft = Draft(released, case.name, course.submission(HOMEWORK, case.name))
            case.make(draft)
            if not draft.written:
                draft.write()


def honest(course: Any, release: Callable[[Any, str], Path], count: int) -> None:
    """Make the course's homework, and honest submissions, of which every third is half right."""
    released = prepare(course, release)
    for number in range(count):
        student = f"s{number:03}"
        draft = Draft(released, student, course.submission(HOMEWORK, student))
        draft.fill({"q1": WRONG["q1"], "q3": WRONG["q3"]} if number % 3 == 0 else {})
        _explained(draft)
        draft.write()


def prepare(course: Any, release: Callable[[Any, str], Path]) -> NotebookNode:
    """Make the course's homework, and return the student's copy that `release` makes."""
    path = course.source(HOMEWORK)
    (path.parent / "data").mkdir(parents=True)
    (path.parent / "data" / "numbers.csv").write_text("1\n2\n3\n4\n", encoding="utf-8")
    nbformat.write(source(), path)
    return nbformat.read(release(course, HOMEWORK), as_version=4)


def _with(code: str, before: str = "probe-q1", **answers: str) -> Callable[[Draft], None]:
    """Return what inserts a cell into an honest submission, and changes some answers."""

    def make(draft: Draft) -> None:
        draft.insert(code, before)
        draft.fill(answers)

    return make


def _bytes(data: bytes) -> Callable[[Draft], None]:
    return lambda draft: draft.write(data)


def _stamp(**values: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.notebook.metadata["initcourse"].update(values)


def _format_3(draft: Draft) -> None:
    draft.write(json.dumps({"nbformat": 3, "metadata": {}, "worksheets": []}).encode())


def _other_kernel(draft: Draft) -> None:
    draft.notebook.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    draft.notebook.metadata["language_info"] = {"name": "R"}


def _copied_cells(draft: Draft) -> None:
    for name in ("q1-test", "q2-test", "given", "q1"):
        copy = deepcopy(draft.cell(f"probe-{name}"))
        draft.notebook.cells.insert(1, copy)  # before what it needs is there


def _many_cells(draft: Draft) -> None:
    draft.notebook.cells += [new_code_cell("1") for _ in range(1_000)]


def _pictures(draft: Draft) -> None:
    for _ in range(25):
        draft.insert(PICTURES)


def _hooks(draft: Draft) -> None:
    draft.insert(HOOK)
    draft.insert('print("SEEN", seen)', before="probe-q5")
    draft.fill({"q1": "root = look()"})


def _removed(*names: str) -> Callable[[Draft], None]:
    def make(draft: Draft) -> None:
        draft.notebook.cells = [
            cell for cell in draft.notebook.cells if cell.id not in {f"probe-{n}" for n in names}
        ]

    return make


def _edited_test(draft: Draft) -> None:
    draft.cell("probe-q1-test").source = "answer = 1  # all is well"
    draft.fill({"q1": WRONG["q1"]})


def _edited_points(draft: Draft) -> None:
    draft.cell("probe-q1-test").metadata["nbgrader"]["points"] = 100
    draft.cell("probe-q2-test").metadata["nbgrader"]["grade"] = False
    draft.cell("probe-q5").metadata["nbgrader"] = {"grade_id": ["q5"], "points": "many"}


def _no_metadata(draft: Draft) -> None:
    for cell in draft.notebook.cells:
        cell.metadata = {}


def _no_ids(draft: Draft) -> None:
    for cell in draft.notebook.cells:
        del cell["id"]
    draft.notebook["nbformat_minor"] = 4


def _odd_cells(draft: Draft) -> None:
    draft.notebook.cells += [
        None,
        {"cell_type": "code"},
        {"cell_type": "applet", "source": "1"},
        {"cell_type": "raw", "source": "raw", "metadata": 7},
        {"cell_type": "code", "source": "'\ud800'", "metadata": {}, "outputs": "none"},
    ]


def _explained(draft: Draft) -> None:
    draft.cell("probe-q5").source = "The variance grows with each layer."


def _untouched(draft: Draft) -> None:
    for task in SOLUTIONS:
        draft.cell(f"probe-{task}").source = "# YOUR CODE HERE"


def _nobody(draft: Draft) -> None:
    _untouched(draft)
    draft.names("your-id")


def _copied_numbers(draft: Draft) -> None:
    """Answers of another student, as numbers."""
    from initcourse import homework

    seed = homework.given(HOMEWORK, "somebody-else").seed
    draft.fill({
        "q1": f"root = {seed**0.5!r}",
        "q2": f"ramp = np.arange(8) * {seed}",
        "q3": f"def scaled(x):\n    return {{'value': x * {seed}}}",
        "q4": f"total = 10 + {seed}",
    })


def _symlink(draft: Draft) -> None:
    draft.write()
    target = draft.path.with_name("elsewhere.ipynb")
    draft.path.rename(target)
    draft.path.symlink_to(target)


def _symlinked_data(draft: Draft) -> None:
    draft.write()
    (draft.path.parent / "data").mkdir()
    (draft.path.parent / "data" / "numbers.csv").symlink_to("/etc/passwd")
    (draft.path.parent / "endless.txt").symlink_to("/dev/zero")


def _deleted(draft: Draft) -> None:
    draft.write()
    draft.path.unlink()


def _folder(draft: Draft) -> None:
    draft.written = True
    draft.path.mkdir(parents=True)


# The grader's environment holds it; no submission may find it, wherever it looks.
SECRET = "postgresql://grader:swordfish@host"

LOOK_AROUND = """
import os, pathlib
found = []
for folder, inner, files in os.walk("/"):
    if folder in ("/proc", "/usr", "/lib", "/lib64", "/bin") or folder.endswith("site-packages"):
        inner.clear()
        continue
    found += [f"{folder}/{name}" for name in files
              if name.endswith((".ipynb", ".db", ".csv", ".git", "pyproject.toml", ".md"))]
print("found", sorted(found))
print("environment", sorted(os.environ.get("SHELL", "") + os.environ.get("OLDPWD", "")))
print("processes", sum(name.isdigit() for name in os.listdir("/proc")) < 5)
told = []
for folder, inner, files in os.walk("/proc"):
    inner[:] = [name for name in inner if name not in ("sys", "fs", "irq", "map_files")]
    for name in set(files) - {"kmsg", "kcore", "kpagecount", "kpageflags", "pagemap", "mem"}:
        try:
            file = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NONBLOCK)
            with open(file, "rb", buffering=0) as opened:
                told += [name] * (SECRET.encode() in (opened.read(100_000) or b""))
        except OSError:
            pass
print("told", told)
"""
# Letter by letter, so that the submission's own text does not hold it.
LOOK_AROUND = LOOK_AROUND.replace("SECRET", f"({' + '.join(map(repr, SECRET))})")

NETWORK = f"""
import socket
for address in (("1.1.1.1", 53), ("127.0.0.1", {PORT})):
    try:
        socket.create_connection(address, timeout=1)
        print("connected")
    except OSError as error:
        print("closed")
"""

WRITES = """
import os, pathlib
written = []
for folder in ("/", "/usr/bin", "/etc", "/dev", "/home", os.path.dirname(np.__file__), "/var/tmp",
               os.path.dirname(homework.__file__)):
    try:
        pathlib.Path(folder, "mine").write_text("mine")
        written.append(folder)
    except OSError:
        pass
print("written", written)
"""

FILL = """
import os
kept = 0
for folder in ("/tmp", "/dev/shm", os.getcwd()):
    try:
        for number in range(100):
            with open(f"{folder}/{number}", "wb") as file:
                kept += file.write(bytes(10_000_000))
    except OSError:
        pass
print("kept less than 300 MB:", kept < 300_000_000)
"""

MANY_PROCESSES = """
import os
for number in range(12):
    if os.fork() == 0:
        block = bytearray(400_000_000)
        block[::4096] = b"1" * len(block[::4096])
        import time; time.sleep(60)
        os._exit(0)
import time; time.sleep(60)
"""

SPAWNS = """
import subprocess
started = []
try:
    while True: started.append(subprocess.Popen(["sleep", "60"]))
except OSError:
    print("refused after less than 64:", 20 < len(started) < 64)
"""

STUBBORN = (
    f"kernel killed after {CELL_SECONDS:g} s of processor time in a cell that could not be "
    "interrupted"
)
WORKS = """
import time
began = time.process_time()
while time.process_time() < began + 3: pass
"""

# Maps that several processes share; Linux keeps their pages when none of them holds them any more.
SHARED_MAPS = """
import mmap, os
for name, of in [("anonymous", lambda: -1), ("zeros", lambda: os.open("/dev/zero", os.O_RDWR))]:
    try:
        block = mmap.mmap(of(), 300_000_000)
        for place in range(0, len(block), 4096): block[place] = 1
        block.madvise(mmap.MADV_DONTNEED)
        print(name, "mapped")
    except OSError as error:
        print(name, error.strerror)
block = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
block[0] = 1
print("private", len(block))
"""

# The last child has ended, and Linux tells nothing of its folders and sockets.
ZOMBIE = """
import os, socket, time
start, go = os.pipe()
for _ in range(30):
    if os.fork() == 0:
        os.close(go); os.read(start, 1)
        kept = []
        try:
            while True:
                kept += (pair := socket.socketpair())
                for one in pair:
                    one.setblocking(False)
                    try:
                        while True: one.send(bytes(60_000))
                    except BlockingIOError: pass
        except OSError: pass
        time.sleep(60); os._exit(0)
if os.fork() == 0: os._exit(0)
time.sleep(0.3)
os.close(go)
time.sleep(20)
"""

# Links and empty files take no room in a folder, and memory in Linux.
LINKS = """
import os
places = [os.open(place, os.O_RDONLY) for place in ("/tmp", "/dev/shm", os.environ["HOME"])]
for number in range(10**7):
    os.symlink("x" * 127, f"{number:0240d}", dir_fd=places[number % 3])
"""

NO_PROCESS = """
import ctypes, os, socket
kept = []
try:
    for _ in range(56):
        kept.append(os.memfd_create("hoard"))
        os.write(kept[-1], bytes(64_000_000))
except OSError as error:
    print("file:", error.strerror)
libc = ctypes.CDLL(None, use_errno=True)
print("segment:", libc.shmget(0, 2**30, 0o1600), "queue:", libc.msgget(0, 0o1600))
try:
    pairs = [socket.socketpair() for _ in range(50)]
    for one, _ in pairs: one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
except OSError as error:
    print("buffer:", error.strerror)
here, there = os.pipe()
page = (ctypes.c_size_t * 2)(ctypes.addressof(ctypes.create_string_buffer(4096)), 4096)
print("pipe:", libc.vmsplice(there, page, 1, 0), "file:", libc.sendfile(there, 0, None, 1))
for family in (38, 40, 45):
    try:
        socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        print("family:", error.strerror)
"""

# Processes that wait until nobody runs a cell, and take memory while an answer is compared.
LURKERS = """
import os, time
for number in range(6):
    if os.fork() == 0:
        time.sleep(0.5)
        blocks = []
        for _ in range(60):
            blocks.append(bytearray(8_000_000)); blocks[-1][::4096] = b"1" * len(blocks[-1][::4096])
            time.sleep(0.02)
        time.sleep(60)
        os._exit(0)
"""

# A message of endless parts, in ZeroMQ's protocol byte by byte: its library would keep it at home.
ENDLESS_PARTS = """
import glob, json, socket, tempfile
connection = json.load(open(glob.glob(tempfile.gettempdir() + "/ic-*/in/kernel.json")[0]))
raw = socket.socket(socket.AF_UNIX)
raw.connect(f"{connection['ip']}-1")
raw.sendall(b"\\xff" + bytes(8) + b"\\x7f\\x03\\x00NULL" + bytes(16) + bytes(32))
kind = b"\\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER"
ready = b"\\x05READY" + kind
raw.sendall(b"\\x04" + bytes([len(ready)]) + ready)
part = b"\\x03" + (4_000_000).to_bytes(8, "big") + bytes(4_000_000)  # long, and more to come
while True: raw.sendall(part)
"""

UNRUN = "%%writefile /tmp/much\n"  # the kernel does not parse what follows

PICTURES = """
import base64, os
from IPython.display import publish_display_data
for _ in range(15):
    publish_display_data({"image/png": base64.b64encode(os.urandom(700_000)).decode()})
"""

EMPTY_LINES = """
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "error", parent=kernel.get_parent(),
                    content={"ename": "E", "evalue": "", "traceback": [""] * 1_700_000})
"""

BURNERS = """
import os
for _ in range(50):
    if os.fork() == 0:
        while True: pass
"""

ALWAYS_EQUAL = """
class Always(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __array_ufunc__(self, *args, **kwargs): return True
class Thing:
    def __eq__(self, other): return True
class Same(np.ndarray):
    def __eq__(self, other): return True
    def __array_ufunc__(self, *args, **kwargs): return np.True_
"""

TRANSFORMER = """
import ast
class Silent(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Silent())
"""

HOOK = """
seen = []
def spy(info): seen.append(info.raw_cell)
get_ipython().events.register("pre_run_cell", spy)
import sys, gc
def look():
    frame, texts = sys._getframe(), []
    while frame is not None:
        texts.append(repr(frame.f_locals)); frame = frame.f_back
    texts += [item for item in gc.get_objects() if isinstance(item, str)]
    print("SPY", any("HIDDEN" + " TESTS" in text for text in texts))
    return 1
"""

FORGED = """
import json, glob, tempfile, zmq
connection = json.load(open(glob.glob(tempfile.gettempdir() + "/ic-*/in/kernel.json")[0]))
from jupyter_client.session import Session
session = Session(key=connection["key"].encode())
sender = zmq.Context().socket(zmq.DEALER)
sender.connect(f"ipc://{connection['ip']}-1")
for _ in range(50):
    sender.send_multipart([b"<IDS|MSG>", b"x", b"{", b"}", b"", b"\\xff"])
    session.send(sender, session.msg("execute_reply", {"status": "ok", "user_expressions": 7}))
"""

GRADEBOOK = """
import glob, sqlite3
opened = 0
for path in glob.glob("/tmp/*/*/gradebook.db") + glob.glob("/*/gradebook.db"):
    sqlite3.connect(path).execute("update grade set manual_score = 100"); opened += 1
print("gradebooks", opened)
"""

CASES = [
    # Honest.
    Case("correct", lambda draft: None, FULL),
    Case("half-right", lambda draft: draft.fill({k: WRONG[k] for k in ("q2", "q4")}),
         {**FULL, "q2": 0, "q4": 0}, output="Each step adds the seed."),
    Case("all-wrong", lambda draft: draft.fill(WRONG), dict.fromkeys(FULL, 0)),
    Case("untouched", _untouched, dict.fromkeys(FULL, 0)),
    Case("explained", _explained, FULL, manual=None),
    Case("Other-Case", lambda draft: draft.names(" other-case "), FULL),
    Case("warns", _with("import warnings, sys", q1="warnings.warn('slow'); root = given.seed**.5",
         q4="print('!', file=sys.stderr); total = 10 + given.seed"), FULL),
    Case("plots", _with("import matplotlib.pyplot as plt\nplt.plot([1, 2]);"), FULL),
    # Careless.
    Case("nobody", _nobody, dict.fromkeys(FULL, 0), notice="names no student"),
    Case("wrong-id", lambda draft: draft.names("wrong-di"), dict.fromkeys(FULL, 0),
         notice="names the student 'wrong-di'"),
    Case("no-id", _removed("student"), dict.fromkeys(FULL, 0)),
    Case("bad-json", _bytes(b'{\n "cells": [\n }'), reason="not a notebook: bad JSON at line 3"),
    Case("empty", _bytes(b""), reason="not a notebook: the file is empty"),
    Case("binary", _bytes(bytes(range(256))), reason="not a notebook: no text in UTF-8"),
    Case("a-list", _bytes(b"[1]"), reason="not a notebook: it has no cells"),
    Case("no-cells", _bytes(b'{"nbformat": 4}'), reason="not a notebook: it has no cells"),
    Case("nested", _bytes(b"[" * 200_000), reason="not a notebook: JSON that cannot be read"),
    Case("format-3", _format_3,
         reason="notebook format 3: open it in JupyterLab and save it again"),
    Case("other-kernel", _other_kernel, reason="kernel is 'ir', expected python3"),
    Case("other-homework", _stamp(homework="hw2"), reason="this is hw2, not probe"),
    Case("old-version", _stamp(version="0123456789ab"),
         reason="made from version 0123456789ab, this course grades {version}"),
    Case("no-stamp", lambda draft: draft.notebook.metadata.pop("initcourse"), FULL,
         notice="lost the stamp"),
    Case("stranger", _bytes(b'{"nbformat": 4, "metadata": {}, "cells": []}'),
         reason="not a notebook of this course: it names no homework"),
    Case("deleted", _deleted, reason="no notebook in the hand-in"),
    Case("folder", _folder, reason="no notebook in the hand-in"),
    Case("copied-cells", _copied_cells, FULL, notice="is there 2 times"),
    Case("removed-test", _removed("q1-test", "q3-test"), FULL, notice="q3-test was missing"),
    Case("removed-given", _removed("given", "imports", "q5"), FULL, notice="given was missing"),
    Case("edited-test", _edited_test, {**FULL, "q1": 0}, notice="q1-test was edited"),
    Case("edited-points", _edited_points, FULL, notice="points of q1-test were edited"),
    Case("no-metadata", _no_metadata, FULL),
    Case("no-ids", _no_ids, FULL),
    Case("odd-cells", _odd_cells, FULL, notice="3 cells could not be read"),
    Case("syntax-error", lambda draft: draft.fill({"q2": "ramp = ("}), {**FULL, "q2": 0},
         output="NameError: name 'ramp' is not defined"),
    Case("raises", lambda draft: draft.fill({"q3": "def scaled(x):\n    return 1 / 0"}),
         {**FULL, "q3": 0}, output="ZeroDivisionError"),
    Case("asks", _with("name = input('your name?')"), FULL),
    Case("not-a-number", lambda draft: draft.fill({"q1": "root = np.nan", "q2": "ramp = np.inf"}),
         {**FULL, "q1": 0, "q2": 0}),
    Case("threads", _with("import threading, time\nfor _ in range(5):\n    threading.Thread("
         "target=lambda: [(time.sleep(.1), print('still here')) for _ in range(999)]).start()"),
         FULL),
    Case("endless", lambda draft: draft.fill({"q1": "while True:\n    pass"}), {**FULL, "q1": 0},
         notice=f"interrupted after {CELL_SECONDS:g} s of processor time"),
    Case("endless-answer", lambda draft: draft.fill({"q3": "def scaled(x):\n    while True: pass"}),
         {**FULL, "q3": 0}, output=f"more than {CELL_SECONDS:g} s of processor time to make"),
    Case("sleeps", _with("import time\nfor _ in range(2): time.sleep(3)", q1="time.sleep(9)",
         q2="time.sleep(9)", q3="time.sleep(9)"),
         reason=f"kernel killed after {PATIENCE * NOTEBOOK_SECONDS:g} s"),
    Case("dawdles", _with("import time\ntime.sleep(99)"), FULL,
         notice=f"interrupted after {PATIENCE * CELL_SECONDS:g} s"),
    Case("works-long", _with("", **{q: WORKS + code for q, code in SOLUTIONS.items()}),
         reason=f"kernel killed after {NOTEBOOK_SECONDS:g} s of processor time"),
    Case("leaves", _with("import sys\nsys.exit()"), FULL),
    Case("quits", _with("exit()\nquit()"), FULL),
    Case("dies", _with("import os\nos._exit(0)"),
         reason="kernel died (exit in a cell, or out of memory)"),
    Case("prints-lines", _with("for _ in range(1000): print('x' * 99_999)"), FULL,
         notice="longer than what is kept"),
    Case("prints-a-line", _with("print('x' * 100_000_000)"), FULL),
    Case("long-answer", lambda draft: draft.fill({"q2": "ramp = np.zeros(2 * 10**6)"}),
         {**FULL, "q2": 0}, output="too many to read"),
    # Hostile.
    Case("copied", lambda draft: draft.names("correct"), dict.fromkeys(FULL, 0),
         notice="names the student 'correct'"),
    Case("copied-numbers", _copied_numbers, dict.fromkeys(FULL, 0)),
    Case("symlink", _symlink, reason="the notebook is a symbolic link"),
    Case("symlinked-data", _symlinked_data, FULL),
    Case("stubborn", _with("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
         "while True: pass"),
         reason=STUBBORN),
    Case("crashes", _with("import ctypes\nctypes.string_at(0)"),
         reason="kernel died (exit in a cell, or out of memory)"),
    Case("kills", _with("import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(1, 9)"), FULL),
    Case("memory", _with("hoard = [bytearray(10**8) for _ in range(10**4)]"), FULL,
         output="MemoryError"),
    Case("memory-of-many", _with(MANY_PROCESSES),
         reason=f"kernel killed: more than {MEMORY_MB} MB of memory"),
    Case("shared-maps", _with(SHARED_MAPS), FULL, output="anonymous Operation not permitted\n"
         "zeros No such device\nprivate 4096"),
    Case("zombie", _with(ZOMBIE), reason=f"kernel killed: more than {MEMORY_MB} MB of memory"),
    Case("links", _with(LINKS), reason=f"kernel killed: more than {MEMORY_MB} MB of memory"),
    Case("no-process", _with(NO_PROCESS), FULL, output="file: Function not implemented\n"
         "segment: -1 queue: -1\nbuffer: Operation not permitted\npipe: -1 file: -1\n"
         + 3 * "family: Address family not supported by protocol\n"),
    Case("lurkers", _with(LURKERS, q3="import time\ndef scaled(x):\n    time.sleep(3)"),
         reason=f"kernel killed: more than {MEMORY_MB} MB of memory"),
    Case("endless-parts", _with(ENDLESS_PARTS),
         reason=f"kernel killed: more than {MEMORY_MB} MB of memory"),
    Case("nested-code", _with(UNRUN + "-" * 5_000_000 + "1"), FULL,
         notice="could not be looked through"),
    Case("wide-code", _with(UNRUN + "[" + "[]," * 1_600_000 + "]"), FULL,
         notice="could not be looked through"),
    Case("wide-notebook", _bytes(b'{"nbformat": 4, "metadata": {}, "cells": ['
         + b",".join([b'{"":{}}'] * 2_400_000) + b"]}"), reason="notebook of more than 1000 cells"),
    Case("many-cells", _many_cells, reason="notebook of more than 1000 cells"),
    Case("pictures", _pictures, FULL, notice="longer than what is kept"),
    Case("empty-lines", _with(EMPTY_LINES), FULL, notice="longer than what is kept"),
    Case("burners", _with(BURNERS), FULL),
    Case("one-processor", _with("import os\nprint(len(os.sched_getaffinity(0)), os.nice(0))"), FULL,
         output="1 10"),
    Case("long-key", lambda draft: draft.fill({"q1": "root = {'k' * 5_000_000: [1, {}]}"}),
         {**FULL, "q1": 0}),
    Case("long-double", lambda draft: draft.fill({"q1": "root = np.longdouble(given.seed) ** 0.5"}),
         FULL),
    Case("fork-bomb", _with("import os\nwhile True: os.fork()"),
         reason=f"kernel killed: more than {MEMORY_MB} MB of memory"),
    Case("spawns", _with(SPAWNS), FULL, output="refused after less than 64: True"),
    Case("fills", _with(FILL), FULL, output="kept less than 300 MB: True"),
    Case("looks-around", _with(LOOK_AROUND, q1="root = found"), {**FULL, "q1": 0},
         output="found ['/home/student/data/numbers.csv']\nenvironment []\nprocesses True\n"
                "told []"),
    Case("calls-out", _with(NETWORK), FULL, output="closed\nclosed"),
    Case("writes", _with(WRITES), FULL, output="written []"),
    Case("gradebook", _with(GRADEBOOK, **WRONG), dict.fromkeys(FULL, 0), output="gradebooks 0",
         notice="looks for the gradebook"),
    Case("patches-numpy", _with("import numpy.testing\nnp.isclose = np.allclose = lambda *a, **k:"
         " True\nnp.testing.assert_allclose = print", **WRONG), dict.fromkeys(FULL, 0),
         notice="replaces np.isclose"),
    Case("always-equal", _with(ALWAYS_EQUAL, q1="root = Always(1)",
         q2="ramp = np.zeros(8).view(Same)", q4="total = Thing()"),
         {**FULL, "q1": 0, "q2": 0, "q4": 0}, notice="__eq__"),
    Case("honest-subclass", _with(ALWAYS_EQUAL, q1="root = Always(given.seed ** 0.5)"), FULL),
    Case("patches-check", _with("check = lambda task, value: 1.0"), FULL, notice="redefines check"),
    Case("patches-check-wrong", _with("check = lambda task, value: given.seed ** 0.5", **WRONG),
         dict.fromkeys(FULL, 0)),
    Case("transforms", _with(TRANSFORMER, **WRONG), dict.fromkeys(FULL, 0),
         notice="transforms the code"),
    Case("hooks", _hooks, {**FULL, "q1": 0}, output="SPY False",
         notice="hooks into"),
    Case("forges", _with(FORGED), FULL),
    Case("huge-answer", _with("", q2="ramp = np.broadcast_to(np.zeros(1), (2**27,))"),
         {**FULL, "q2": 0}, output="too many to read"),
    Case("pickles", _with("import pickle", q1="root = np.array([pickle], dtype=object)"),
         {**FULL, "q1": 0}, output="hand in numbers"),
    Case("deep-answer", _with("deep = []\nfor _ in range(999): deep = [deep]", q1="root = deep"),
         {**FULL, "q1": 0}, output="nested more than 16 deep"),
    Case("own-answer", _with("import initcourse.grading.comparing.answers as a\n"
         "a.encode = lambda v: a.Encoded('{\"array\": [\"|O\", [1], \"AAAA\"]}')"),
         dict.fromkeys(FULL, 0), output="does not have the form"),
    Case("patches-json", _with("import json\njson.dumps = lambda *a, **k: '{}'"),
         reason=f"kernel killed after {PATIENCE * CELL_SECONDS:g} s in a cell that could not be "
         "interrupted"),
]  # fmt: skip
