"""Keys, users and sessions: what is bound to what, and that every refusal looks the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import AuthError, NotFoundError, RequestError
from gateway.store.seal import MasterKey
from gateway.store.state import State
from gateway.tenancy import api_keys, sessions
from gateway.tenancy.sessions import ApiKey, ApiKeys, EmbedUser, Sessions

ORIGIN = "https://app.example.com"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State.open(f"sqlite:///{tmp_path / 'state.db'}", MasterKey(b"m" * 32))
    yield opened
    opened.close()


@pytest.fixture
def key(state: State) -> tuple[ApiKey, str]:
    return ApiKeys(state).create("server", scopes=frozenset({"sessions", "ask"}))


@pytest.fixture
def user(state: State, key: tuple[ApiKey, str]) -> EmbedUser:
    return Sessions(state).upsert_user(key[0], "northwind", "u-17", {"region": "emea", "team": 4})


def test_key_has_id_secret_and_checksum(state: State, key: tuple[ApiKey, str]) -> None:
    """The text can be told from noise offline, and the secret part has 256 bits."""
    made, text = key
    assert text == f"rwl_live_{made.id}_{text[18:61]}_{api_keys.checksum(text[:-7])}"
    assert ApiKeys(state).check(text, scope="ask").id == made.id
    assert made.last4 == text[57:61]


def test_key_is_not_in_the_database(state: State, key: tuple[ApiKey, str], tmp_path: Path) -> None:
    """Shown once: no file of the database holds the secret, or the profile of a user."""
    Sessions(state).upsert_user(key[0], "northwind", "ada@lovelace.example", {"region": "canary-region"})
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for word in (key[1][18:61], "ada@lovelace.example", "canary-region"):
        assert word.encode() not in raw


def _mutated(text: str) -> list[str]:
    swap = {text[i]: "A" if text[i] != "A" else "B" for i in range(len(text))}
    changed = [text[:i] + swap[text[i]] + text[i + 1 :] for i in range(0, len(text), 2)]
    wrong = (text[:20] + "zzz" + text[23:-7], text[:9] + "AAAAAAAA" + text[17:-7])
    fixed_sum = [f"{other}_{api_keys.checksum(other)}" for other in wrong]
    return [*changed, *fixed_sum, "", text[:-1], text + "A", text.upper(), text + "\n", " " + text, "x" * 100_000]


def test_every_mutated_key_is_refused_alike(state: State, key: tuple[ApiKey, str]) -> None:
    """Wrong checksum, wrong secret, wrong id, truncated, padded: one answer."""
    keys = ApiKeys(state)
    seen = set()
    for text in _mutated(key[1]):
        with pytest.raises(AuthError) as caught:
            keys.check(text, scope="ask")
        seen.add((str(caught.value), caught.value.code, caught.value.status))
    assert len(seen) == 1


def test_key_from_a_browser_is_refused(state: State, key: tuple[ApiKey, str]) -> None:
    """A server key that comes with an Origin header has leaked into a page."""
    with pytest.raises(AuthError):
        ApiKeys(state).check(key[1], scope="ask", origin=ORIGIN)


def test_key_is_good_for_its_scopes_only(state: State, key: tuple[ApiKey, str]) -> None:
    """A key to ask is no key to review."""
    with pytest.raises(AuthError):
        ApiKeys(state).check(key[1], scope="review")
    with pytest.raises(RequestError):
        ApiKeys(state).create("x", scopes=frozenset({"everything"}))


def test_revoked_key_and_its_sessions_end_at_once(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """No cache lies between a revocation and the next request."""
    _minted, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    ApiKeys(state).revoke(key[0].id)
    with pytest.raises(AuthError):
        ApiKeys(state).check(key[1], scope="ask")
    with pytest.raises(AuthError):
        Sessions(state).check(token, origin=ORIGIN)
    with pytest.raises(NotFoundError):
        ApiKeys(state).revoke("nosuchid")


def test_rotation_leaves_the_old_key_for_the_overlap(state: State, key: tuple[ApiKey, str]) -> None:
    """Both work during the overlap; without one the old key ends."""
    keys = ApiKeys(state)
    second, second_text = keys.rotate(key[0].id, overlap_s=3600)
    assert keys.check(key[1], scope="ask").id == key[0].id
    _third, third_text = keys.rotate(second.id)
    with pytest.raises(AuthError):
        keys.check(second_text, scope="ask")
    keys.check(third_text, scope="ask")
    with pytest.raises(RequestError):
        keys.rotate(key[0].id, overlap_s=86_401)


def test_expired_key_is_refused(state: State) -> None:
    """A key with a life ends with it."""
    _, text = ApiKeys(state).create("short", scopes=frozenset({"ask"}), ttl_s=0)
    with pytest.raises(AuthError):
        ApiKeys(state).check(text, scope="ask")


def test_session_carries_what_it_is_bound_to(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """Tenant, datasource, origin, and the attributes of user and session together."""
    _, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN, attributes={"store": 9})
    found = Sessions(state).check(token, origin=ORIGIN)
    assert (found.tenant, found.datasource, found.user.external_id) == ("northwind", "shop", "u-17")
    assert dict(found.attributes) == {"region": "emea", "team": 4, "store": 9}


@pytest.mark.parametrize(
    "origin",
    [None, "", "https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"],
)
def test_token_from_another_origin_is_refused(
    state: State, key: tuple[ApiKey, str], user: EmbedUser, origin: str | None
) -> None:
    """A stolen token is no use in another page, nor outside one."""
    _, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    with pytest.raises(AuthError):
        Sessions(state).check(token, origin=origin)


def test_every_mutated_token_is_refused_alike(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """One answer, whatever is wrong."""
    _, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    for i in range(len(token)):
        other = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]
        with pytest.raises(AuthError, match="no valid key or session"):
            Sessions(state).check(other, origin=ORIGIN)


def test_session_ends_after_its_life(
    state: State, key: tuple[ApiKey, str], user: EmbedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five minutes unless renewed by the server, twelve hours at the most."""
    minted, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    ahead = {"s": 299}
    monkeypatch.setattr(sessions, "now_us", lambda: time.time_ns() // 1000 + ahead["s"] * 1_000_000)
    assert Sessions(state).check(token, origin=ORIGIN).id == minted.id
    renewed = Sessions(state).renew(key[0], minted.id, ttl_s=900)
    assert renewed.expires_us > minted.expires_us
    ahead["s"] = 299 + 901
    with pytest.raises(AuthError):
        Sessions(state).check(token, origin=ORIGIN)
    with pytest.raises(AuthError):
        Sessions(state).renew(key[0], minted.id)


def test_renewal_stops_at_twelve_hours(
    state: State, key: tuple[ApiKey, str], user: EmbedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is renewed."""
    minted, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN, ttl_s=900)
    start = time.time_ns() // 1000
    ahead = {"s": 0}
    monkeypatch.setattr(sessions, "now_us", lambda: start + ahead["s"] * 1_000_000)
    while ahead["s"] + 800 < 12 * 3600:
        ahead["s"] += 800
        renewed = Sessions(state).renew(key[0], minted.id, ttl_s=900)
    assert renewed.expires_us <= minted.absolute_us
    ahead["s"] = 12 * 3600 + 1
    with pytest.raises(AuthError):
        Sessions(state).check(token, origin=ORIGIN)


def test_revocation_holds_at_once_in_another_process(
    state: State, key: tuple[ApiKey, str], user: EmbedUser, tmp_path: Path
) -> None:
    """A second worker with its own connection refuses the next request."""
    other = State.open(f"sqlite:///{tmp_path / 'state.db'}", MasterKey(b"m" * 32))
    _, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    _, second = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    Sessions(other).check(token, origin=ORIGIN)
    assert Sessions(state).revoke_user(user.id) == 2
    for each in (token, second):
        with pytest.raises(AuthError):
            Sessions(other).check(each, origin=ORIGIN)
    other.close()


def test_revoked_session_cannot_be_renewed(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """Revocation is for good."""
    minted, _ = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    assert Sessions(state).revoke(minted.id) == 1
    assert Sessions(state).revoke(minted.id) == 0
    with pytest.raises(AuthError):
        Sessions(state).renew(key[0], minted.id)


def test_tenant_revocation_leaves_other_tenants(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """Only the named tenant's sessions end."""
    lumen = Sessions(state).upsert_user(key[0], "lumen", "u-17")
    _, ours = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    _, theirs = Sessions(state).create(key[0], lumen, datasource="shop", origin=ORIGIN)
    assert Sessions(state).revoke_tenant("northwind") == 1
    Sessions(state).check(theirs, origin=ORIGIN)
    with pytest.raises(AuthError):
        Sessions(state).check(ours, origin=ORIGIN)


def test_key_of_one_tenant_cannot_act_for_another(state: State, user: EmbedUser) -> None:
    """Neither mint, nor renew, nor upsert."""
    bound, _ = ApiKeys(state).create("lumen", scopes=frozenset({"sessions"}), tenant="lumen")
    with pytest.raises(AuthError):
        Sessions(state).create(bound, user, datasource="shop", origin=ORIGIN)
    with pytest.raises(AuthError):
        Sessions(state).upsert_user(bound, "northwind", "u-18")


def test_same_id_in_two_tenants_is_two_users(state: State, key: tuple[ApiKey, str]) -> None:
    """The product's ids need not be unique across tenants; lengths keep the boundary."""
    found = {
        Sessions(state).upsert_user(key[0], tenant, external).id
        for tenant, external in (("a", "b:c"), ("a:b", "c"), ("a", "b:c"))
    }
    assert len(found) == 2


def test_changed_attributes_hold_from_the_next_request(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """A right that is narrowed is narrowed for sessions that exist."""
    _, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    Sessions(state).upsert_user(key[0], "northwind", "u-17", {"region": "apac"})
    assert dict(Sessions(state).check(token, origin=ORIGIN).attributes) == {"region": "apac"}


def test_session_cannot_contradict_its_user(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """A session narrows, it does not replace."""
    with pytest.raises(RequestError):
        Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN, attributes={"region": "apac"})


@pytest.mark.parametrize("value", [True, 1.0, None, ["a"], {"$ne": 1}, "x" * 201, 2**53])
def test_attribute_of_another_type_is_refused(state: State, key: tuple[ApiKey, str], value: object) -> None:
    """Attack 33 of the checklist: type juggling of scope values."""
    with pytest.raises(RequestError):
        Sessions(state).upsert_user(key[0], "northwind", "u-1", {"region": value})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "origin",
    [
        "", "*", "null", "app.example.com", "http://app.example.com", "https://*.example.com", "https://a@b.example",
        "https://app.example.com/", "https://App.example.com", "https://app.example.com?x", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_origin_is_one_exact_page(state: State, key: tuple[ApiKey, str], user: EmbedUser, origin: str) -> None:
    """No wildcard, no path, no user, and no plain http but on loopback."""
    with pytest.raises(RequestError):
        Sessions(state).create(key[0], user, datasource="shop", origin=origin)


@pytest.mark.parametrize("ttl_s", [0, -1, 901])
def test_life_is_bounded(state: State, key: tuple[ApiKey, str], user: EmbedUser, ttl_s: int) -> None:
    """At most fifteen minutes."""
    with pytest.raises(RequestError):
        Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN, ttl_s=ttl_s)


def test_swapped_profile_is_refused(state: State, key: tuple[ApiKey, str], user: EmbedUser) -> None:
    """A sealed profile copied to another user's row does not open there."""
    from sqlalchemy import select, update

    from gateway.store.schema import embed_user

    other = Sessions(state).upsert_user(key[0], "northwind", "u-99", {"region": "apac"})
    _, token = Sessions(state).create(key[0], user, datasource="shop", origin=ORIGIN)
    with state.write() as connection:
        blob = connection.execute(select(embed_user.c.profile).where(embed_user.c.id == other.id)).scalar_one()
        connection.execute(update(embed_user).where(embed_user.c.id == user.id).values(profile=blob))
    with pytest.raises(AuthError):
        Sessions(state).check(token, origin=ORIGIN)
