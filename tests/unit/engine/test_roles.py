import pytest

from engine.roles import Needs, Role, highest


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        pytest.param(Role.OWNER, {Needs.CONVERSE, Needs.READ, Needs.CHANGE}, id="owner"),
        pytest.param(Role.SUPERVISOR, {Needs.CONVERSE, Needs.READ}, id="supervisor"),
        pytest.param(Role.AGENT, {Needs.CONVERSE}, id="agent"),
    ],
)
def test_what_a_role_may_do(role: Role, allowed: set[Needs]) -> None:
    assert {needs for needs in Needs if role.may(needs)} == allowed


def test_each_role_covers_itself_and_those_below_it() -> None:
    order = list(Role)

    covered = {role: [least for least in order if role.covers(least)] for role in order}

    assert covered == {role: order[place:] for place, role in enumerate(order)}


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        pytest.param([], None, id="a stranger has none"),
        pytest.param([Role.AGENT], Role.AGENT, id="one"),
        pytest.param([Role.AGENT, Role.OWNER, Role.SUPERVISOR], Role.OWNER, id="of several groups"),
    ],
)
def test_the_highest_of_several_roles_holds(roles: list[Role], expected: Role | None) -> None:
    assert highest(roles) is expected
