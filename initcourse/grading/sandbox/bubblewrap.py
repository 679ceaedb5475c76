"""The sandbox of a submission: bubblewrap around its kernel, as a Jupyter kernel provisioner.

A submission is code that nobody has read.  Its kernel has no network, sees the Python environment,
the package and the homework's data files, all read-only, and can write to nothing but a scratch in
memory that vanishes with it.  Limits hold for memory, processes, files and time; it runs on one
processor, behind the grader's own work, and without the calls that keep memory where no process
shows it (:mod:`.launcher`).
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from traitlets import Dict, Integer, List, Tuple, Unicode

import initcourse
from initcourse.grading.sandbox import DENIED
from initcourse.homework import CELL_SECONDS, NOTEBOOK_SECONDS

__all__ = [
    "PROVISIONER",
    "BubblewrapProvisioner",
    "SandboxError",
    "Settings",
    "environment",
    "exposed",
    "provisioner",
    "require",
]

PROVISIONER = "initcourse-bubblewrap"
LAUNCHER = "initcourse.grading.sandbox.launcher"
HOME = "/home/student"
PLACES = ("/tmp", "/dev/shm", HOME)  # that can be written to; they lie in memory
MATPLOTLIB = f"{HOME}/.matplotlib"


class SandboxError(RuntimeError):
    """Submissions cannot be run safely here; the message says what to do."""


@dataclass(frozen=True)
class Settings:
    """Limits of one submission, and how it is shut in.

    Attributes
    ----------
    cell_seconds : float
        Processor time of one cell, in all its processes together; then it is interrupted, and the
        next one runs.
    notebook_seconds : float
        Processor time of all cells together; then the kernel is killed.
    patience : float
        How many times as long the same may take on the clock: what waits uses no processor, and
        what a neighbour slows down is not to blame.
    memory_mb : int
        Memory of the kernel and of all its processes together.
    processes : int
        Processes and threads.
    scratch_mb : int
        Size of the scratch folder, which lies in memory, and of a file in it.
    output_chars : int
        Characters of a cell's output that are kept.
    sandbox : {"bubblewrap", "none"}
        With "none" a submission can do whatever the user can who grades.
    as_root : bool
        Whether root may grade: the kernel does not hold root's processes to a number.
    """

    cell_seconds: float = CELL_SECONDS
    notebook_seconds: float = NOTEBOOK_SECONDS
    patience: float = 3.0
    memory_mb: int = 2048
    processes: int = 64
    scratch_mb: int = 64
    output_chars: int = 20_000
    sandbox: Literal["bubblewrap", "none"] = "bubblewrap"
    as_root: bool = False


def require(settings: Settings) -> None:
    """Refuse to grade where submissions would not be shut in.

    Raises
    ------
    SandboxError
        If the user is root, or bubblewrap does not work, and the settings do not allow it.
    """
    if settings.sandbox == "none":
        return
    if os.geteuid() == 0 and not settings.as_root:
        raise SandboxError(
            "root does not grade: Linux does not limit root's number of processes, so one fork "
            "bomb stops the machine. Grade as a normal user, as in: runuser -u teacher -- "
            "initcourse homework grade hw1. Settings(as_root=True) grades as root all the same."
        )
    _probe()


@cache
def _probe() -> None:
    """Run nothing in the sandbox once."""
    imports = [sys.executable, "-c", f"from {LAUNCHER} import deny; deny()"]
    command = [*bubblewrap([], HOME), *limits(Settings()), *imports]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"the sandbox does not start: {error}") from error
    if "libseccomp" in result.stderr:
        raise SandboxError(
            "the sandbox forbids calls to the kernel by libseccomp, which is not installed; on "
            "Debian and Ubuntu: apt install libseccomp2"
        )
    if result.returncode:
        raise SandboxError(
            f"the sandbox does not start: {result.stderr.strip()}. bubblewrap needs user "
            "namespaces: on Ubuntu 24.04 an AppArmor profile for bwrap (package "
            "apparmor-profiles, profile bwrap-userns-restrict), in a container the right to make "
            "them. Settings(sandbox='none') grades without it, for submissions that you have read."
        )


def _executable(name: str) -> str:
    """Return the path of a program, also of one that pip installed beside this Python."""
    beside = Path(sys.executable).with_name(name)
    found = shutil.which(name) or (str(beside) if beside.exists() else None)
    if found is None:
        package = "bubblewrap" if name == "bwrap" else "util-linux coreutils"
        raise SandboxError(
            f"{name} is not installed; on Debian and Ubuntu: apt install {package}. There is none "
            "for macOS and Windows: grade in a Linux machine. Settings(sandbox='none') grades "
            "without a sandbox, for submissions that you have read."
        )
    return found


@cache
def environment() -> list[Path]:
    """Return the folders of the host that a kernel needs, and that submissions can so read.

    They are the system's programs and libraries, this Python with its packages, and initcourse
    itself.  Of a clone from which it was installed nothing but the package is among them.
    """
    system = [Path("/usr") / name for name in ("bin", "lib", "lib32", "lib64", "libexec", "share")]
    etc = [Path("/etc") / name for name in ("ld.so.cache", "alternatives", "fonts", "localtime")]
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
    parts = ("bin", "lib", "lib64", "pyvenv.cfg")
    python = [prefix / part for prefix in sorted(prefixes) for part in parts]
    packages = [Path(entry) for entry in sys.path if entry.endswith("-packages")]
    library = [Path(sysconfig.get_path("stdlib")), Path(initcourse.__file__).parent]
    return _outermost(
        path for path in [*system, *etc, *python, *packages, *library] if path.exists()
    )


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Return the paths that lie in no other one."""
    kept: list[Path] = []
    for path in sorted({path.absolute() for path in paths}):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept


def exposed(folder: Path) -> Path | None:
    """Return the part of the environment through which submissions could read a folder, or None."""
    inside = folder.resolve()
    return next((path for path in environment() if inside.is_relative_to(path.resolve())), None)


def bubblewrap(
    binds: Iterable[tuple[Path, str]], folder: str, *, scratch_mb: int = 64
) -> list[str]:
    """Return the command line before the command that runs in the sandbox.

    Parameters
    ----------
    binds : iterable of (Path, str)
        Files and folders of the host, and where they are seen inside, read-only.
    folder : str
        Where the command starts.
    scratch_mb : int, optional
        Size of each of the three writable places.
    """
    size = str(scratch_mb * 2**20)
    command = [
        _executable("bwrap"),
        *("--unshare-all", "--unshare-user", "--disable-userns"),
        *("--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--dev-bind", "/dev/null", "/dev/zero"),  # a shared map of zeros is memory of nobody
    ]
    for place in PLACES:
        command += ["--size", size, "--tmpfs", place]
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            command += ["--ro-bind", str(path), str(path)]
    for path in environment():
        command += ["--ro-bind", str(path), str(path)]
    for path, inside in binds:
        command += ["--ro-bind", str(path), inside]
    for name, value in _variables().items():
        command += ["--setenv", name, value]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", folder]


def _variables() -> dict[str, str]:
    """Return the whole environment of a kernel."""
    return {
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "LOGNAME": "student",
        "USER": "student",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(Path(initcourse.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": MATPLOTLIB,
        **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
    }


@cache
def font_list() -> list[tuple[Path, str]]:
    """Return matplotlib's list of fonts, which a kernel would take a second to make."""
    script = "import matplotlib.font_manager as _, matplotlib; print(matplotlib.get_cachedir())"
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    folder = Path(made.stdout.strip() or "nowhere")
    return [(path, f"{MATPLOTLIB}/{path.name}") for path in folder.glob("fontlist-*.json")]


def limits(settings: Settings) -> list[str]:
    """Return the command line that limits what runs after it."""
    return [
        _executable("prlimit"),
        f"--as={settings.memory_mb * 2**20}",
        f"--cpu={int(settings.notebook_seconds) + 5}",
        f"--fsize={settings.scratch_mb * 2**20}",
        f"--nproc={settings.processes}",
        "--nofile=256",
        "--core=0",
        "--",
    ]


class BubblewrapProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts a kernel in the sandbox; what it needs stands in the kernel's specification."""

    settings = Dict(help="Settings, as a dictionary").tag(config=True)
    processor = Integer(None, allow_none=True, help="number of its processor").tag(config=True)
    files = List(Tuple(Unicode(), Unicode()), help="files: outside, inside").tag(config=True)
    sockets = Unicode(help="folder of the connection file and of the sockets").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Launch the kernel, with the sandbox in front of its command."""
        settings = Settings(**self.settings)
        if settings.sandbox == "bubblewrap":
            cmd = [*shut_in(settings, self.files, self.sockets, self.processor), *cmd, DENIED]
            # Process 1 inside is bubblewrap itself, and --clearenv clears only what it starts.
            kwargs["env"] = {}
        elif settings.sandbox != "none":
            raise SandboxError(f"sandbox must be 'bubblewrap' or 'none', got {settings.sandbox!r}")
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        return await super().launch_kernel(cmd, **{**kwargs, **silent})


def shut_in(
    settings: Settings, files: Iterable[tuple[str, str]], sockets: str, processor: int | None
) -> list[str]:
    """Return everything that stands before a kernel's own command.

    From the outside in: a clock that kills, a place in the queue of one processor, bubblewrap, and
    limits that hold for its processes.
    """
    pinned = [] if processor is None else [_executable("taskset"), "-c", str(processor)]
    own = [(Path(file), inside) for file, inside in files]
    binds = [(Path(sockets), sockets), *font_list(), *own]
    return [
        *(_executable("setpriv"), "--pdeathsig", "KILL"),
        *(
            _executable("timeout"),
            "--signal=KILL",
            f"{settings.patience * settings.notebook_seconds + 10:g}",
        ),
        *pinned,
        *(_executable("nice"), "-n", "10"),
        *bubblewrap(binds, HOME, scratch_mb=settings.scratch_mb),
        *limits(settings),
    ]


def provisioner(
    settings: Settings,
    files: Iterable[tuple[str, str]],
    sockets: str,
    processor: int | None = None,
) -> BubblewrapProvisioner:
    """Return the provisioner of one kernel, made as Jupyter makes it.

    Parameters
    ----------
    settings : Settings
        The limits.
    files : iterable of (str, str)
        Data files: their path on the host, and inside relative to where the notebook runs.
    sockets : str
        Folder with the connection file ``kernel.json``; the sockets' names begin with its path.
    processor : int, optional
        The one processor that it may use.
    """
    spec = KernelSpec(
        argv=[
            sys.executable,
            "-m",
            LAUNCHER,
            f"{sockets}/kernel.json",
        ],
        display_name="Python, in a sandbox",
        language="python",
        interrupt_mode="message",
    )
    spec.metadata = {
        "kernel_provisioner": {
            "provisioner_name": PROVISIONER,
            "config": {
                "settings": asdict(settings),
                "files": [(file, f"{HOME}/{inside}") for file, inside in files],
                "sockets": sockets,
                "processor": processor,
            },
        }
    }
    factory = KernelProvisionerFactory.instance()
    # The entry point of the installed package says the same; a source tree has none.
    entry = EntryPoint(PROVISIONER, f"{__name__}:BubblewrapProvisioner", factory.GROUP_NAME)
    factory.provisioners.setdefault(PROVISIONER, entry)
    made = factory.create_provisioner_instance(str(uuid4()), spec, None)
    assert isinstance(made, BubblewrapProvisioner)
    return made
