"""What blocks and figures look like."""

from datetime import UTC, datetime

import pytest

from bot.slack.blocks import button, message, quote, section, sections, table
from bot.slack.markup import Markup, date, link, markup, number, percent, progress, user


def test_values_are_made_literal_and_markup_passes() -> None:
    shown = markup("{who} paused *{name}* ({n})", who=user("U1"), name="<!here>", n=12431)

    assert shown == "<@U1> paused *&lt;!here&gt;* (12,431)"


@pytest.mark.parametrize(
    ("user_id", "shown"),
    [
        ("U0ADA", "<@U0ADA>"),
        ("S0LEADS", "<!subteam^S0LEADS>"),
        ("ada> <!here", "ada&gt; &lt;!here"),
    ],
)
def test_only_ids_become_mentions(user_id: str, shown: str) -> None:
    assert user(user_id) == shown


def test_an_instant_is_shown_in_the_readers_zone() -> None:
    at = datetime(2026, 12, 1, 10, tzinfo=UTC)

    assert (
        date(at)
        == f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|2026-12-01 10:00 UTC>"
    )


def test_a_label_cannot_leave_its_link() -> None:
    assert link("https://a.nl/x|y", "a|b>") == "<https://a.nl/x%7Cy|a/b&gt;>"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "\N{EN DASH}"), (0, 5, "0 %"), (1, 300, "<1 %"), (299, 300, "99 %"), (5, 5, "100 %")],
)
def test_shares_are_neither_nothing_nor_all_before_they_are(
    part: int, whole: int, shown: str
) -> None:
    assert percent(part, whole) == shown


@pytest.mark.parametrize(
    ("done", "total", "bar"),
    [
        (0, 4, "▱▱▱▱ 0 % (0 of 4)"),
        (3, 4, "▰▰▰▱ 75 % (3 of 4)"),
        (4, 4, "▰▰▰▰ 100 % (4 of 4)"),
        (9, 4, "▰▰▰▰ 100 % (9 of 4)"),
        (0, 0, "▰▰▰▰ 100 % (0 of 0)"),
        (1, 1000, "▱▱▱▱ &lt;1 % (1 of 1,000)"),
    ],
)
def test_a_bar_is_full_only_when_all_is_done(done: int, total: int, bar: str) -> None:
    assert progress(done, total, width=4) == bar


def test_numbers_are_parted() -> None:
    assert number(1_234_567) == "1,234,567"


def test_a_long_text_is_parted_between_lines() -> None:
    lines = [markup("{n} " + "x" * 1400, n=n) for n in range(5)]

    pages = sections(Markup("\n".join(lines)))

    assert [page["text"]["text"][0] for page in pages] == ["0", "2", "4"]


def test_rows_that_do_not_fit_are_counted() -> None:
    shown, more = table(["name"], [[str(n)] for n in range(250)])

    assert len(shown["rows"]) == 100
    assert more["elements"][0]["text"] == "and 151 more"


def test_a_table_that_fits_stands_alone() -> None:
    (shown,) = table(["name", "sent"], [["Ada", ""], ["Bob"]])

    assert [cell["text"] for row in shown["rows"] for cell in row] == [
        *("name", "sent"),
        *("Ada", "—"),
        *("Bob", "—"),
    ]


def test_parts_left_out_are_told() -> None:
    whole = message(Markup("Long."), *[section(markup("{n}", n=n)) for n in range(60)])

    assert whole.blocks[-1]["elements"][0]["text"] == "11 more parts left out"


def test_a_quotation_is_exact() -> None:
    shown = quote("<!here> *hi* :tada:")

    assert shown["elements"][0]["elements"] == [{"type": "text", "text": "<!here> *hi* :tada:"}]


def test_a_value_too_long_for_a_button_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="longer than 2000"):
        button("Go", action_id="go", value="x" * 2001)
