"""What every refusal of a use case has in common."""


class Refusal(Exception):
    """Something staff asked for is not done; nothing has changed.

    The message is one sentence, or two, that says why and what would help. It may repeat what
    staff wrote, so it is escaped where it is shown and kept out of logs.
    """
