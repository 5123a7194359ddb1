"""What every test run has: random order, seeds, and a last line that says what was left out."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import structlog
from hypothesis import is_hypothesis_test, settings
from xdist.scheduler import LoadScopeScheduling

_TESTS = Path(__file__).parent
# Of properties: a few in `make test`; in `make prove` what counts as proven, or more by seeds.
_EXAMPLES, _PROOF, _EXAMPLES_PER_SEED = 40, 200, 100
# Each of these starts the whole system, once in a process: xdist keeps a folder of them together,
# and of the stories, which are many, a file.
_WHOLE_SYSTEM = {"browser": 2, "faults": 2, "acceptance": 3}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

settings.register_profile("quick", deadline=None, max_examples=_EXAMPLES)

_LEFT_OUT = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dripline")
    group.addoption(
        "--seeds",
        type=int,
        default=None,
        help="prove: tests that take a seed run with 0 … n-1, properties with more examples",
    )
    group.addoption("--seed", type=int, default=None, help="run them with this seed alone")


def pytest_configure(config: pytest.Config) -> None:
    seeds = config.getoption("--seeds")
    settings.register_profile(
        "proof",
        settings.get_profile("quick"),
        max_examples=max(_PROOF, _EXAMPLES_PER_SEED * (seeds or 0)),
    )
    if not config.getoption("--hypothesis-profile", default=None):
        settings.load_profile("quick" if seeds is None else "proof")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `seed` as many as were asked for."""
    if "seed" in metafunc.fixturenames:
        one = metafunc.config.getoption("--seed")
        seeds = range(metafunc.config.getoption("--seeds") or 1) if one is None else [one]
        metafunc.parametrize("seed", seeds, ids=[f"seed{seed}" for seed in seeds])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = _missing_for_browser()
    for item in items:
        folder = _folder(item.path)
        if folder == "browser":
            item.add_marker("browser")
        if folder == "properties" or is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("property")
        if missing and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=missing))


class _SystemsTogether(LoadScopeScheduling):  # type: ignore[misc] # xdist is untyped
    """Tests that share a running system go to one process, all others wherever there is room."""

    def _split_scope(self, nodeid: str) -> str:
        place = PurePosixPath(nodeid.split("::", 1)[0]).parts
        together = _WHOLE_SYSTEM.get(place[1]) if len(place) > 1 else None
        return nodeid if together is None else "/".join(place[:together])


# Optional, because the hook is there only with xdist; xdist's own groups need an older pytest.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _SystemsTogether | None:
    return _SystemsTogether(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    left_out = config.stash.setdefault(_LEFT_OUT, {})
    for report in terminalreporter.stats.get("skipped", []):
        what = "browser" if "browser" in report.keywords else report.nodeid.split("::", 1)[0]
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        left_out[what] = str(reason).removeprefix("Skipped: ")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say it below everything else, coverage and pytest's own closing line included."""
    left_out = config.stash.get(_LEFT_OUT, None)
    if left_out is not None:
        named = [f"{what} ({why})" for what, why in sorted(left_out.items())]
        config.get_terminal_writer().line(f"left out: {', '.join(named) or 'nothing'}")


def _folder(path: Path) -> str:
    """The folder below tests/ that holds the file; empty for a file elsewhere."""
    return path.relative_to(_TESTS).parts[0] if path.is_relative_to(_TESTS) else ""


def _missing_for_browser() -> str | None:
    """Why this machine cannot run the browser tests; None: it can."""
    if any(map(shutil.which, _BROWSERS)):
        return None
    return "chromium is not installed; Debian: apt-get install chromium"


@pytest.fixture(autouse=True)
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let what one test's command line sets up for logs be gone in the next test."""
    configure = structlog.configure

    def uncached(**options: Any) -> None:  # noqa: ANN401 — structlog's
        configure(**{**options, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other accounts may pass through, which `tmp_path` is not.

    As root, embedded servers run as an unprivileged account, and keep their data below it.
    """
    folder = Path(tempfile.mkdtemp(prefix="dripline-test-"))
    folder.chmod(0o711)
    yield folder
    sockets = folder / "sockets"
    if sockets.is_symlink():  # of a parent that a test has killed
        shutil.rmtree(sockets.readlink(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
