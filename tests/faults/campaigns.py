"""The campaigns and contacts of one seed: two broadcasts and a drip, all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.faults.crowd import gather, phones
from tests.faults.drawing import Storm
from tests.faults.truth import Truth
from tests.system import System

_NEWS, _OFFER, _DRIP = 600, 300, 150
_SEEDS = 900  # blocks of phones; the others are for what is proven without a seed


@dataclass(frozen=True, slots=True)
class Campaigns:
    """What runs under one seed.

    Attributes:
        everybody: Their phones; the news go to all, the offer to the first 300, the drip to the
            last 150.
    """

    news: str
    offer: str
    drip: str
    everybody: Sequence[str]

    @property
    def kinds(self) -> Mapping[str, str]:
        """The word for each in a command, by name."""
        return {self.news: "broadcast", self.offer: "broadcast", self.drip: "campaign"}

    @property
    def audiences(self) -> Mapping[str, Sequence[str]]:
        return {
            self.news: self.everybody,
            self.offer: self.everybody[:_OFFER],
            self.drip: self.everybody[-_DRIP:],
        }


async def prepare(system: System, truth: Truth, drawn: Storm) -> Campaigns:
    """Make contacts and campaigns that only this seed has, and nothing started yet."""
    seed = drawn.seed
    block = seed % _SEEDS
    everybody = phones(f"{block:03}", _NEWS)
    campaigns = Campaigns(f"News {seed}", f"Offer {seed}", f"Walk {seed}", everybody)
    await gather(system, truth, everybody[:_OFFER], tag=f"offered{seed}")
    await gather(system, truth, everybody[-_DRIP:], tag=f"walking{seed}")
    await gather(system, truth, everybody[_OFFER:-_DRIP], tag=f"others{seed}")
    whom = ",".join(f"tag:{tag}{seed}" for tag in ("offered", "walking", "others"))
    await _said(system, f'broadcast new "{campaigns.news}" to={whom} template=followup', f"{_NEWS}")
    await _said(
        system,
        f'broadcast new "{campaigns.offer}" to=tag:offered{seed} template=feedback'
        f" rate=40/s unknown={drawn.unknown}",
        f"{_OFFER}",
    )
    await system.ask(f'campaign new "{campaigns.drip}"')
    await system.ask(f'step add "{campaigns.drip}" after=0m template=followup')
    await system.ask(f'step add "{campaigns.drip}" after=30m template=feedback')
    await system.ask(f'campaign activate "{campaigns.drip}"')
    return campaigns


async def start(system: System, campaigns: Campaigns, drawn: Storm) -> None:
    """Let all of them begin."""
    await system.ask(f'broadcast send "{campaigns.news}"')
    await system.ask(f'broadcast send "{campaigns.offer}"')
    await _said(system, f'enroll "{campaigns.drip}" tag:walking{drawn.seed}', f"{_DRIP}")


async def _said(system: System, command: str, piece: str) -> None:
    answer = await system.ask(command)
    assert piece in answer, answer
