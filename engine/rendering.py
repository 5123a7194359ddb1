"""From a step's content with tokens to what one contact reads."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from engine import personalise
from engine.content import Content, TemplateMessage, mapped, strings
from engine.personalise import OF_EVENT, Missing


@dataclass(frozen=True, slots=True)
class Rendering:
    """A content whose texts are taken apart once for all contacts."""

    content: Content
    texts: Mapping[str, personalise.Text]
    names: frozenset[str]
    """Of its tokens."""

    @classmethod
    def of(cls, content: Content) -> "Rendering":
        texts = {text: personalise.parse(text) for text in strings(content)}
        names = (token.name for text in texts.values() for token in text.tokens)
        return cls(content, texts, frozenset(names))

    @property
    def free_form(self) -> bool:
        """Whether WhatsApp takes it only inside an open service window."""
        return not isinstance(self.content, TemplateMessage)

    def filled(self, values: Mapping[str, str]) -> Content | Missing:
        """Return the content with every token filled, or which names have no value."""
        filled: dict[str, str] = {}
        for text, parsed in self.texts.items():
            match parsed.render(values):
                case Missing() as missing:
                    return missing
                case str() as rendered:
                    filled[text] = rendered
        return mapped(self.content, filled.__getitem__)


def needed(contents: Iterable[Content]) -> tuple[str, ...]:
    """Return the names of tokens without a fallback, which leave out who has no value; sorted.

    Those of the event that enrolled are not among them: who has them shows only then.
    """
    tokens = (
        token
        for content in contents
        for text in strings(content)
        for token in personalise.parse(text).tokens
    )
    return tuple(
        sorted(
            {
                token.name
                for token in tokens
                if token.fallback is None and not token.name.startswith(OF_EVENT)
            }
        )
    )


def values_of(
    *,
    name: str | None,
    first_name: str | None,
    company: str | None,
    email: str | None,
    phone: str | None,
    attributes: Mapping[str, object],
    properties: Mapping[str, object] | None = None,
    names: Collection[str] | None = None,
) -> dict[str, str]:
    """Return what tokens stand for. Attributes never hide what is built in.

    Args:
        properties: Of the event that enrolled the contact; None: none did.
        names: At least of these tokens; None: of all.
    """
    known = {
        "name": name or first_name,
        "first_name": first_name,
        "company": company,
        "email": email,
        "phone": phone,
    }
    # A contact may have hundreds of attributes, and a message seldom names one.
    asked = attributes if names is None else [key for key in names if key in attributes]
    written = {key: str(attributes[key]) for key in asked if attributes[key] is not None}
    if properties:
        written |= {f"{OF_EVENT}{key}": str(value) for key, value in properties.items()}
    for key in known if names is None else names:
        if value := known.get(key):
            written[key] = value
    return written
