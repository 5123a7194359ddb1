"""What Meta refuses of a template, checked before one leaves: each rule once, with its source.

The numbers in the sources are the codes Meta refuses with; see "Error codes" and "Template
components". What no page of Meta's says is marked as reported.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from engine.template_draft import HEADER_SAMPLE, Draft, HeaderFile
from engine.templates import ButtonKind, Category, variables

LONGEST_NAME: Final = 512
LONGEST_BODY: Final = 1024
LONGEST_HEADER: Final = 60
LONGEST_FOOTER: Final = 60
LONGEST_LABEL: Final = 25
LONGEST_URL: Final = 2000
LONGEST_PHONE: Final = 20
LONGEST_VARIABLE: Final = 20
MOST_BUTTONS: Final = 10
MOST_LINKS: Final = 2
MOST_PHONES: Final = 1
WORDS_PER_VARIABLE: Final = 2

COMPONENTS: Final = 'Meta, "Template components"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One of Meta's rules.

    Attributes:
        says: The rule as documentation puts it.
        source: Where Meta says so.
        broken: Yields a sentence for each way a draft breaks it, with what to do.
    """

    says: str
    source: str
    broken: Callable[[Draft], Iterator[str]]


def problems(draft: Draft) -> tuple[str, ...]:
    """Return all that Meta would refuse in *draft*, a sentence each; empty: it may be submitted."""
    return tuple(sentence for rule in RULES for sentence in rule.broken(draft))


def warnings(draft: Draft) -> tuple[str, ...]:
    """Return what Meta takes but may not do as asked, a sentence each."""
    if draft.category is not Category.UTILITY:
        return ()
    header = draft.header if isinstance(draft.header, str) else ""
    text = f"{header} {draft.body} {draft.footer}".lower()
    found = [word for word in _PROMOTIONAL if re.search(rf"\b{re.escape(word)}\b", text)]
    if not found:
        return ()
    shown = " and ".join(repr(word) for word in found[:3])
    sentence = (
        f"It says {shown}: WhatsApp makes utility templates that promote something marketing ones,"
        " or rejects them."
    )
    return (sentence,)


_PROMOTIONAL: Final = (
    "discount",
    "sale",
    "offer",
    "promo",
    "coupon",
    "deal",
    "voucher",
    "limited time",
    "buy now",
    "shop now",
)


def _name(draft: Draft) -> Iterator[str]:
    if not _NAME.fullmatch(draft.name):
        yield (
            "A template's name has small letters a to z, digits and underscores only, and at most"
            f" {LONGEST_NAME} of them, like spring_sale."
        )


def _category(draft: Draft) -> Iterator[str]:
    if draft.category not in {Category.MARKETING, Category.UTILITY}:
        yield (
            "category= is marketing or utility: WhatsApp writes the text of authentication"
            " templates itself, and they carry one-time passwords only."
        )


def _body_length(draft: Draft) -> Iterator[str]:
    if not draft.body.strip():
        yield "The body is empty: write body=."
    yield from _long("The body", draft.body, LONGEST_BODY)


def _header_text(draft: Draft) -> Iterator[str]:
    if not isinstance(draft.header, str):
        return
    if not draft.header.strip():
        yield "The header is empty: write header= with a text, or header=off."
    yield from _long("The header", draft.header, LONGEST_HEADER)
    if len(draft.header_variables) > 1:
        yield "A header takes one variable; leave the others out."
    if _NEWLINE.search(draft.header) or _FORMATTING.search(draft.header):
        yield "A header takes no line breaks and no *, _, ~ or `; leave them out."
    if _EMOJI.search(draft.header):
        yield "A header takes no emoji; leave them out."


def _header_file(draft: Draft) -> Iterator[str]:
    if isinstance(draft.header, HeaderFile) and draft.header.kind.value not in _IN_HEADERS:
        yield (
            f"The file {draft.header.name} is of the kind {draft.header.kind}, and a header shows"
            " an image, a video or a document."
        )


def _footer(draft: Draft) -> Iterator[str]:
    if draft.footer and not draft.footer.strip():
        yield "The footer is empty: write footer= with a text, or footer=off."
    yield from _long("The footer", draft.footer, LONGEST_FOOTER)
    if variables(draft.footer):
        yield "A footer takes no variables; write its text out."
    if _NEWLINE.search(draft.footer):
        yield "A footer is one line; leave the line breaks out."


def _braces(draft: Draft) -> Iterator[str]:
    for where, text in _texts(draft):
        rest = _VARIABLE.sub("", text)
        if "{" in rest or "}" in rest:
            single = _SINGLE.search(rest)
            meant = f", like {{{{{single[1]}}}}}" if single else ""
            yield f"{where} has a brace that is no variable: those have two on each side{meant}."


def _one_way_of_naming(draft: Draft) -> Iterator[str]:
    found = draft.header_variables + draft.body_variables
    digits = [name for name in found if name.isdigit()]
    if digits and len(digits) < len(found):
        yield "Some variables have numbers and some names: use {{1}}, {{2}} or names, not both."
        return
    if digits:
        numbers = sorted({int(name) for name in draft.body_variables})
        if numbers != list(range(1, len(numbers) + 1)) or any(name[0] == "0" for name in digits):
            shown = ", ".join(f"{{{{{name}}}}}" for name in draft.body_variables)
            yield f"The body's variables count from {{{{1}}}} without a gap; it has {shown}."
        if draft.header_variables and set(draft.header_variables) != {"1"}:
            yield "The header's variable is {{1}}: it is counted by itself."
        return
    for name in dict.fromkeys(found):
        if not _PARAMETER.fullmatch(name):
            yield (
                f"A variable has small letters, digits and underscores, begins with a letter and"
                f" has at most {LONGEST_VARIABLE} of them; {{{{{name}}}}} does not."
            )


def _not_at_the_ends(draft: Draft) -> Iterator[str]:
    # Of the body alone: Meta's own samples begin headers with one.
    body = draft.body.strip()
    found = list(_VARIABLE.finditer(body))
    if found and found[0].start() == 0:
        yield f"The body begins with {found[0][0]}: put a word before it."
    if found and found[-1].end() == len(body):
        yield f"The body ends with {found[-1][0]}: put something after it."


def _not_side_by_side(draft: Draft) -> Iterator[str]:
    found = _ADJACENT.search(draft.body)
    if found is not None:
        yield f"{found[0]} stand side by side: put a word between them."


def _enough_words(draft: Draft) -> Iterator[str]:
    places = len(_VARIABLE.findall(draft.body))
    words = len(_WORD.findall(_VARIABLE.sub(" ", draft.body)))
    needed = WORDS_PER_VARIABLE * places + 1
    if places and words < needed:
        yield (
            f"The body has {words} words around {places} variables, and WhatsApp wants about"
            f" {needed}: write more, or use fewer variables."
        )


def _no_wide_gaps(draft: Draft) -> Iterator[str]:
    if _GAP.search(draft.body):
        yield "The body has more than two line breaks or four spaces in a row; leave some out."


def _samples(draft: Draft) -> Iterator[str]:
    given = dict(draft.samples)
    for option in draft.wanted_samples:
        if not given.get(option, "").strip():
            yield f"A sample is missing: write {option}= with a value for WhatsApp's reviewers."
    for option, sample in draft.samples:
        if _VARIABLE.search(sample) or "{" in sample:
            yield f"The sample {option}= must be a plain value, like a contact would have."
        if _NEWLINE.search(sample) or "\t" in sample:
            yield f"The sample {option}= is one line; leave the line breaks out."
    body = _VARIABLE.sub(lambda found: given.get(found[1], ""), draft.body)
    yield from _long("With its samples the body", body, LONGEST_BODY, of=draft.body)
    if isinstance(draft.header, str) and draft.header_variables:
        name = draft.header_variables[0] if draft.named else HEADER_SAMPLE
        header = _VARIABLE.sub(lambda _: given.get(name, ""), draft.header)
        yield from _long("With its sample the header", header, LONGEST_HEADER, of=draft.header)


def _button_counts(draft: Draft) -> Iterator[str]:
    counted = Counter(button.kind for button in draft.buttons)
    if len(draft.buttons) > MOST_BUTTONS:
        yield f"There are {len(draft.buttons)} buttons, and WhatsApp takes {MOST_BUTTONS}."
    if counted[ButtonKind.URL] > MOST_LINKS:
        yield f"There are {counted[ButtonKind.URL]} links, and WhatsApp takes {MOST_LINKS}."
    if counted[ButtonKind.PHONE_NUMBER] > MOST_PHONES:
        yield "There are several buttons that call, and WhatsApp takes one."
    replies = [key for key, _ in groupby(b.kind is ButtonKind.QUICK_REPLY for b in draft.buttons)]
    if replies.count(True) > 1:
        yield "Quick replies stand together: put the links and calls before or after all of them."


def _button_labels(draft: Draft) -> Iterator[str]:
    seen: set[str] = set()
    for button in draft.buttons:
        if not button.label.strip():
            yield "A button has no label: write button=<label>."
            continue
        yield from _long(f"The label {button.label!r}", button.label, LONGEST_LABEL)
        if "{" in button.label or "}" in button.label or _NEWLINE.search(button.label):
            yield f"The label {button.label!r} takes no variables and no line breaks."
        if button.label.lower() in seen:
            yield f"Two buttons say {button.label!r}; they must differ."
        seen.add(button.label.lower())


def _links(draft: Draft) -> Iterator[str]:
    for button in draft.buttons:
        target = button.target or ""
        if button.kind is not ButtonKind.URL:
            continue
        yield from _long(f"The link of {button.label!r}", target, LONGEST_URL)
        if not _is_link(target):
            yield f"The link of {button.label!r} must be a web address like https://shop.example/."
        found = variables(target)
        if found and (found != ("1",) or not target.endswith("{{1}}") or target.count("{{") > 1):
            yield f"The link of {button.label!r} takes one variable, {{{{1}}}}, at its very end."
    with_suffix = sum(bool(variables(each.target or "")) for each in draft.buttons)
    if with_suffix > 1:
        yield "Two links have a variable, and a step can fill one: write the other out."


def _phones(draft: Draft) -> Iterator[str]:
    for button in draft.buttons:
        if button.kind is ButtonKind.PHONE_NUMBER and not _PHONE.fullmatch(button.target or ""):
            yield f"The number of {button.label!r} must be like +31201234567."


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        says="A name has `a-z`, `0-9` and `_`, at most 512 of them",
        source='Meta, "Template management"',
        broken=_name,
    ),
    Rule(
        says="The category is marketing or utility; authentication texts are WhatsApp's own",
        source='Meta, "Template categorization"',
        broken=_category,
    ),
    Rule(says="A body has 1 to 1,024 characters", source="Meta, 2388040", broken=_body_length),
    Rule(
        says="A text header has at most 60 characters, one variable, one line, no emoji and no"
        " formatting",
        source="Meta, 2388047",
        broken=_header_text,
    ),
    Rule(
        says="A file in a header is an image, a video or a document",
        source=COMPONENTS,
        broken=_header_file,
    ),
    Rule(
        says="A footer is one line of at most 60 characters without variables",
        source="Meta, 2388073",
        broken=_footer,
    ),
    Rule(says="Braces stand for variables only", source="Meta, 2388072", broken=_braces),
    Rule(
        says="Variables are numbered from 1 without a gap, or all have names in small letters",
        source=COMPONENTS,
        broken=_one_way_of_naming,
    ),
    Rule(
        says="A body neither begins nor ends with a variable",
        source="Meta, 2388299",
        broken=_not_at_the_ends,
    ),
    Rule(
        says="Two variables do not stand side by side",
        source="Meta, 2388072",
        broken=_not_side_by_side,
    ),
    Rule(
        says="A body has about two words for each variable, and one more",
        source="Meta, 2388293; the ratio is reported, not stated",
        broken=_enough_words,
    ),
    Rule(
        says="A body has at most two line breaks and four spaces in a row",
        source="Meta, 2388072; the numbers are reported, not stated",
        broken=_no_wide_gaps,
    ),
    Rule(
        says="Each variable has a sample, a plain value in one line",
        source=COMPONENTS,
        broken=_samples,
    ),
    Rule(
        says="At most 10 buttons, 2 of them links and 1 a call; quick replies stand together",
        source=COMPONENTS,
        broken=_button_counts,
    ),
    Rule(
        says="A button's label has at most 25 characters and no variables, and differs from others",
        source=COMPONENTS,
        broken=_button_labels,
    ),
    Rule(
        says="A link has at most 2,000 characters and one variable at most, at its end",
        source=COMPONENTS,
        broken=_links,
    ),
    Rule(
        says="A number to call has at most 20 characters and its country",
        source=COMPONENTS,
        broken=_phones,
    ),
)
"""In the order their sentences are shown."""


def _long(what: str, text: str, limit: int, *, of: str | None = None) -> Iterator[str]:
    # What is too long before its samples are in is said once.
    if len(text) > limit and (of is None or len(of) <= limit):
        yield f"{what} has {len(text):,} characters, and WhatsApp takes {limit:,}."


def _texts(draft: Draft) -> Iterator[tuple[str, str]]:
    yield "The body", draft.body
    yield "The header", _text_header(draft)
    yield "The footer", draft.footer


def _text_header(draft: Draft) -> str:
    return draft.header if isinstance(draft.header, str) else ""


def _is_link(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    named = parts.hostname is not None and "." in parts.hostname and "{" not in parts.netloc
    return parts.scheme in {"https", "http"} and named and not re.search(r"\s", target)


_NAME: Final = re.compile(rf"[a-z0-9_]{{1,{LONGEST_NAME}}}")
_PARAMETER: Final = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST_VARIABLE - 1}}}")
_VARIABLE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_ADJACENT: Final = re.compile(r"(?:\{\{\s*[A-Za-z0-9_]+\s*\}\}\s*){2,}")
_SINGLE: Final = re.compile(r"\{([A-Za-z0-9_]+)[^}]*\}")
_NEWLINE: Final = re.compile(r"[\r\n\u0085\u2028\u2029]")
_FORMATTING: Final = re.compile(r"[*_~`](?![^{]*\}\})")
_EMOJI: Final = re.compile("[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff]")
_GAP: Final = re.compile(r"(?:\r?\n){3,}| {5,}|\t")
_WORD: Final = re.compile(r"\w+")
_PHONE: Final = re.compile(rf"\+[1-9][0-9]{{6,{LONGEST_PHONE - 2}}}")
_IN_HEADERS: Final = frozenset({"image", "video", "document"})
