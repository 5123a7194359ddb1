"""What the pretend platforms remember between starts."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.state import State


async def test_ending_waits_for_the_write_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on = threading.Event(), threading.Event()
    write = State._write  # noqa: SLF001 — to hold it up

    def held_up(self: State, taken: Any) -> None:  # noqa: ANN401 — as it is given
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            may_go_on.wait(10)
        write(self, taken)

    monkeypatch.setattr(State, "_write", held_up)
    state = State(tmp_path)
    state.start()
    state.keep("message", "1", {"to": "Ada"})
    await asyncio.to_thread(begun.wait, 10)
    state.keep("message", "2", {"to": "Grace"})

    closing = asyncio.create_task(state.close())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    may_go_on.set()
    await closing

    kept = State(tmp_path)
    assert [key for key, _ in kept.records("message")] == ["1", "2"]
    await kept.close()
