"""Faults of a team's site, such as Redis or Postgres being killed while people draw and run rounds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.one_machine import SLOW, Site
from tests.faults.services import OwnPostgres, OwnRedis, own_services
from tests.faults.table import Row, repeat
from tests.house.visitor import Visitor
from tests.studio import Studio

DOWN_SECONDS = 1.0


@contextmanager
def team_site(redis: OwnRedis, postgres: OwnPostgres) -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="maskwright-faults-") as home,
        Studio(Path(home), **SLOW, REDIS_URL=redis.url, DATABASE_URL=postgres.url) as studio,
        Visitor(studio) as owner,
    ):
        yield Site(studio, owner)


def faults(tries: int) -> Iterator[Row]:
    """Make each fault of a team's site, most of them `tries` times, and yield a row for each."""
    with own_services() as (redis, postgres), team_site(redis, postgres) as site:

        def during(down: Callable[[], None], up: Callable[[], None]) -> Callable[[int], int]:
            return lambda number: site.round_while(lambda: _for_a_while(down, up), after_masks=5 + number)

        yield repeat("the worker is killed in a round, team", tries, site.kill_worker)
        yield repeat("Redis is killed in a round and started again", tries, during(redis.kill, redis.start))
        yield repeat("Redis is suspended for a second in a round", tries, during(redis.suspend, redis.go_on))
        yield repeat("Postgres is killed in a round and started again", tries, during(postgres.kill, postgres.start))
        yield repeat("400 requests, 100 at once", min(tries, 3), lambda _: site.crowd(400, 100))
        yield repeat("strokes while Redis is suspended", 1, lambda _: site.strokes_while(redis.suspend, redis.go_on))


def _for_a_while(down: Callable[[], None], up: Callable[[], None]) -> None:
    down()
    time.sleep(DOWN_SECONDS)
    up()
