"""The database peers are what they say they are."""

import sqlalchemy as sa

from tests.peers.postgres import SERVER_ZONE, Postgres
from tests.peers.valkey import Valkey


def test_a_fresh_database_is_empty_and_private(postgres: Postgres) -> None:
    one, other = postgres.fresh_database(), postgres.fresh_database()
    engine = sa.create_engine(one)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE touch (id int)"))
    engine.dispose()
    engine = sa.create_engine(other)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
    postgres.drop(one)
    postgres.drop(other)


def test_a_prepared_database_is_prepared_once(postgres: Postgres) -> None:
    calls = []

    def prepare(url: str) -> None:
        calls.append(url)
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE touch (id int)"))
        engine.dispose()

    for _ in range(2):
        engine = sa.create_engine(postgres.prepared_database("peers", prepare))
        assert sa.inspect(engine).get_table_names() == ["touch"]
        engine.dispose()
    assert len(calls) == 1


def test_the_server_is_not_in_our_zone(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SHOW timezone")) == SERVER_ZONE
        assert connection.scalar(sa.text("SHOW fsync")) == "off"
    engine.dispose()


def test_a_committed_row_outlives_a_killed_server(own_postgres: Postgres) -> None:
    url = own_postgres.fresh_database()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SHOW fsync")) == "on"
        connection.execute(sa.text("CREATE TABLE touch AS SELECT 1 AS id"))
    own_postgres.kill()
    own_postgres.start()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT id FROM touch")) == 1


def test_every_kind_of_database_is_empty(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


async def test_valkey_answers_and_is_empty(valkey_url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(valkey_url) as client:
        assert await client.dbsize() == 0
        await client.set("touch", "1")
        assert await client.get("touch") == b"1"


async def test_valkey_keeps_what_it_acknowledged(own_valkey: Valkey) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(own_valkey.url) as client:
        await client.set("touch", "1")
    own_valkey.kill()
    own_valkey.start()
    async with Redis.from_url(own_valkey.url) as client:
        assert await client.get("touch") == b"1"
