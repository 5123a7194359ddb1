"""The breaker of a number: when the platform is away, messages wait and its health is asked for."""

from engine.ids import NumberId
from worker.whatsapp.client import CloudApi, Doubtful, ManagementFailed, NotSent, Outcome

TRIPS_AFTER = 5
_FIRST_REST_S = 0.5
_LONGEST_REST_S = 5.0
_UNANSWERED = (NotSent, Doubtful)


class Breaker:
    """Opens after calls in a row that the platform did not answer.

    Attributes:
        rest_s: Seconds of the machine's clock to wait before asking.
        trying: Closed again, but only one call at a time until one is answered: that the platform
            tells of its health does not prove that it takes messages.
    """

    def __init__(self) -> None:
        self._unanswered = 0
        self.rest_s = _FIRST_REST_S
        self.trying = False

    @property
    def closed(self) -> bool:
        """Whether messages may go."""
        return self._unanswered < TRIPS_AFTER

    def note(self, outcome: Outcome) -> None:
        if not isinstance(outcome, _UNANSWERED):
            self._unanswered = 0
            self.rest_s = _FIRST_REST_S
            self.trying = False
        elif self.trying:
            self._unanswered = TRIPS_AFTER
            self.rest_s = min(_LONGEST_REST_S, 2 * self.rest_s)
        else:
            self._unanswered += 1

    async def probe(self, api: CloudApi, number: NumberId) -> None:
        """Ask for the number's health: an answer closes the breaker, silence prolongs its rest."""
        try:
            await api.number(number)
        except ManagementFailed as failed:
            if failed.refused is None or failed.refused.http >= 500:  # noqa: PLR2004 — HTTP's own
                self.rest_s = min(_LONGEST_REST_S, 2 * self.rest_s)
                return
        self._unanswered = 0
        self.trying = True
