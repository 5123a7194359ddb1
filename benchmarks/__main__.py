"""Run the benchmarks here, each in a process of its own: `python -m benchmarks [name …]`."""

import subprocess
import sys
from pathlib import Path


def names() -> list[str]:
    """Every module here is a benchmark but those that begin with an underscore."""
    return sorted(
        path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")
    )


def main(wanted: list[str]) -> int:
    """Run them one after the other; the exit status is that of the worst."""
    known = names()
    unknown = [name for name in wanted if name not in known]
    if unknown or not known:
        print(
            f"unknown: {', '.join(unknown) or 'none'}; known: {', '.join(known) or 'none'}",
            file=sys.stderr,
        )
        return 2
    return max(
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode  # noqa: S603 — a module of this package
        for name in wanted or known
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
