"""Tables of the state database. Migrations in `gateway/store/migrations` make them; a test holds the two together.

Times are whole microseconds since 1970 in UTC, so that both engines order and compare them alike.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

data_key = Table(
    "data_key",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("purpose", String(60), nullable=False),
    Column("master_id", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=True),
    Column("created_us", BigInteger, nullable=False),
    Column("destroyed_us", BigInteger, nullable=True),
    Index("data_key_purpose", "tenant", "purpose"),
)
"""Data keys, wrapped by the master key. A destroyed key keeps its row and loses its `wrapped` bytes."""

live_key = Table(
    "live_key",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("purpose", String(60), primary_key=True),
    Column("key_id", String(16), nullable=False),
)
"""The one key in use for a tenant and purpose: the primary key makes two replicas agree on it."""

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("tenant", String(200), nullable=True),
    Column("scopes", String(200), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("last4", String(4), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("used_us", BigInteger, nullable=True),
    Column("expires_us", BigInteger, nullable=True),
    Column("revoked_us", BigInteger, nullable=True),
)

embed_user = Table(
    "embed_user",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("external_hash", LargeBinary, nullable=False, unique=True),
    Column("profile", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger, nullable=True),
)
"""A user of the product. `profile` is sealed: the product's own id and the attributes."""

session = Table(
    "session",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", String(32), nullable=False),
    Column("api_key_id", String(8), nullable=False),
    Column("tenant", String(200), nullable=False),
    Column("datasource", String(63), nullable=False),
    Column("origin", String(200), nullable=False),
    Column("attributes", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("absolute_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger, nullable=True),
    Index("session_user", "user_id"),
    Index("session_tenant", "tenant"),
    Index("session_expires", "expires_us"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
)
"""One row: size of the log and the right edge of its tree. Its lock puts replicas in line."""

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("intent_id", String(32), nullable=True, unique=True),
    Column("tenant_h", String(32), nullable=False),
    Column("actor_h", String(32), nullable=False),
    Column("event", String(40), nullable=False),
    Column("decision", String(12), nullable=False),
    Column("template", String(80), nullable=False),
    Column("model", String(120), nullable=False),
    Column("kinds", String(400), nullable=False),
    Column("body", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("audit_entry_at", "at_us"),
    Index("audit_entry_tenant", "tenant_h", "seq"),
    Index("audit_entry_event", "event", "seq"),
)
"""The log. `body` is the canonical JSON that was hashed; the columns before it repeat parts of it for filters."""

audit_content = Table(
    "audit_content",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("key_id", String(16), nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Index("audit_content_key", "key_id"),
)
"""Sealed content of entries, apart from the log so that erasing it leaves every proof as it was."""

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("exported_us", BigInteger, nullable=True),
)

audit_origin = Table(
    "audit_origin",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(200), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("seed", LargeBinary, nullable=False),
)
"""One row: name of the log and its signing key, the seed sealed."""

audit_tenant = Table(
    "audit_tenant",
    metadata,
    Column("tenant_h", String(32), primary_key=True),
    Column("name", LargeBinary, nullable=False),
    Column("hold_us", BigInteger, nullable=True),
)
"""Pseudonyms of tenants and their sealed names; `hold_us` is set while a legal hold forbids erasure."""

audit_cursor = Table(
    "audit_cursor",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
"""How far each stream to a SIEM got."""

model_spend = Table(
    "model_spend",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("period", String(20), nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("micro_usd", BigInteger, nullable=False),
)
"""What each tenant's models have cost, reservations included, in the minute, day and month that run."""

summary_release = Table(
    "summary_release",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
"""The last release of each table's facts for each set of rows, sealed: it has a count that is never released."""
