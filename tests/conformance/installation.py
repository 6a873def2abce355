"""What the run needs beside Pliant: npm packages in `node_modules`, Python packages in an environment of their own.

Both are made once and again only when what they were made from has changed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

ENVIRONMENT = ROOT / ".venv-conformance"
"""Packages that clients need and the project does not; Pliant itself is not in it."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_node() -> str | None:
    """The node command, when npm is there too."""
    return shutil.which("node") if shutil.which("npm") else None


def find_browser() -> str | None:
    """A Chromium that Playwright can drive."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def install_node_packages() -> None:
    """`npm ci` from the lock file. Raises `subprocess.CalledProcessError`."""
    stamp = HERE / "node_modules" / ".installed"
    wanted = _digest(HERE / "package-lock.json")
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.DEVNULL)
    stamp.write_text(wanted)


def install_python_packages() -> Path:
    """The folder of commands of an environment with requirements.txt. Raises `subprocess.CalledProcessError`."""
    commands = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
    requirements = HERE / "requirements.txt"
    stamp = ENVIRONMENT / ".installed"
    wanted = _digest(requirements)
    if stamp.is_file() and stamp.read_text() == wanted:
        return commands
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    python = str(commands / "python")
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *quiet, "-r", str(requirements)], check=True)
    stamp.write_text(wanted)
    return commands


def build_assets() -> None:
    """`make assets`, once: the files of /explore. Raises `subprocess.CalledProcessError`."""
    if not (ROOT / "server" / "assets" / "built" / "explore.js").is_file():
        subprocess.run(["make", "assets"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
