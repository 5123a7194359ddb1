"""An end to calls that take too long: one timer for all, because each may take as long."""

import asyncio


class Patience:
    """Cancels the task of a call that has taken *seconds*; None: it never does.

    A timer for each call, started and stopped again, is a tenth of what the call costs us.
    """

    __slots__ = ("_ends", "_late", "_loop", "_seconds", "_timer")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        # In the order in which they began, which is that in which they end.
        self._ends: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> asyncio.Task[object]:
        """Watch the running task until :meth:`end`; one call at a time, and all in one loop."""
        # Kept: asking for the running loop asks the system whether the process was forked.
        loop = self._loop = self._loop or asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a call is made by a task of one loop")
        if self._seconds is not None:
            self._ends[task] = loop.time() + self._seconds
            if self._timer is None:
                self._timer = loop.call_later(self._seconds, self._look, loop)
        return task

    def end(self, task: asyncio.Task[object]) -> None:
        self._ends.pop(task, None)

    def ran_out(self, task: asyncio.Task[object]) -> bool:
        """Whether the task was cancelled by us and by nobody else; it goes on then."""
        if task not in self._late:
            return False
        self._late.discard(task)
        return task.uncancel() == 0

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for task, ends in list(self._ends.items()):
            if ends > now:
                self._timer = loop.call_at(ends, self._look, loop)
                return
            self.end(task)
            self._late.add(task)
            task.cancel()
