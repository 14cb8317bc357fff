"""A shell in a folder, which is given one command after another, as a terminal is."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Generator, Mapping
from pathlib import Path

LONGEST_SECONDS = 100.0
STOP_SECONDS = 15.0

_END = b"\n<end of the command> "
_LOOP = f"""
while read -r -u 3 command_file; do
  . "$command_file" </dev/null
  printf '{_END.decode().replace(chr(10), chr(92) + "n")}%s\\n' $?
done
"""


class Overdue(Exception):
    """A command did not end in time."""


class Shell:
    """Bash; `places` are texts of the pages, such as ports, with what stands for them here."""

    def __init__(
        self, process: subprocess.Popen[bytes], files: int, folder: Path, places: Mapping[str, str]
    ) -> None:
        assert process.stdout is not None
        self._output = process.stdout.fileno()
        self._files = files
        self._folder = folder
        self._places = places

    def run(self, command: str) -> tuple[list[str], int]:
        """The lines that a command prints, on stdout and stderr, and its exit code."""
        file = self._folder / "command.sh"
        file.write_text(self.here(command))
        os.write(self._files, f"{file}\n".encode())
        printed, _, code = self._until_the_end(command).rpartition(_END)
        text = printed.decode()
        for documented, here in self._places.items():
            text = text.replace(here, documented)
        return [line.rstrip() for line in text.rstrip().splitlines()], int(code)

    def here(self, text: str) -> str:
        """A text of the pages with what stands here for its places."""
        for documented, here in self._places.items():
            text = text.replace(documented, here)
        return text

    def _until_the_end(self, command: str) -> bytes:
        read = b""
        deadline = time.monotonic() + LONGEST_SECONDS
        while not (_END in read and read.endswith(b"\n")):
            ready, _, _ = select.select([self._output], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Overdue(f"{command}\n{read.decode()}")
            more = os.read(self._output, 1 << 16)
            if not more:
                raise EOFError(f"{command}: the shell has ended\n{read.decode()}")
            read += more
        return read


@contextlib.contextmanager
def opened(folder: Path, environment: Mapping[str, str], places: Mapping[str, str]) -> Generator[Shell]:
    """A shell; ends all that it left at work."""
    files, write = os.pipe()
    own = folder.parent / f"{folder.name}-commands"
    own.mkdir()
    with subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-c", f"exec 3<&{files}\n{_LOOP}"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[files],
        start_new_session=True,
    ) as process:
        os.close(files)
        try:
            yield Shell(process, write, own, places)
        finally:
            os.close(write)
            _end(process.pid)


def _end(group: int) -> None:
    """End a process group, and return when it is gone; what does not end when it is asked to is killed."""
    deadline = time.monotonic() + STOP_SECONDS
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(group, os.WNOHANG)
            os.killpg(group, 0)
            time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)
