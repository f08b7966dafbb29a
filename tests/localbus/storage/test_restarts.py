"""Every service after random actions: a restarted engine lists and describes what the killed one did."""

from __future__ import annotations

import asyncio
import copy
import random
from pathlib import Path

import pytest
from fuzz.actions import SERVICES, case_of, inputs
from fuzz.state import shown_state
from fuzz.wire import request_of
from fuzz.world import World
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.http.message import Request
from localbus.storage.durable import DurableStorage
from support.durable import as_killed

ACTIONS = 120
BETWEEN_KILLS = 12
VALID = 0.7  # of the requests; the others have an odd member
STORED = ("sqs", "sns", "events", "dynamodb", "cloudformation")


def request(world: World, rng: random.Random) -> Request:
    """Return a random request."""
    service = rng.choice(STORED)
    if rng.random() > VALID:
        return case_of(world, service, rng).request
    action = rng.choice(list(SERVICES[service]))
    return request_of(service, action, world.filled(rng.choice(inputs(service, action))))


def killed(world: World, copy_of_folder: Path) -> World:
    """Return the world with an engine that has started on a copy of its folder as it is."""
    data = world.engine.options.data
    assert data is not None
    again = copy.copy(world)
    again.clock = ManualClock()
    again.engine = Engine(Options(data=as_killed(data, copy_of_folder)), again.clock)
    again.engine.restore()
    return again


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_restarted_engine_shows_the_same(tmp_path: Path, seed: int) -> None:
    """After any actions, those that were refused included."""
    rng, world = random.Random(seed), World()
    try:
        await world.prepare()
        for number in range(ACTIONS):
            await world.answer(request(world, rng), rng.choice([0, 1, 61, 3600]))
            if number % BETWEEN_KILLS:
                continue
            assert isinstance(world.engine.storage, DurableStorage)
            world.engine.storage.commit()
            again = killed(world, tmp_path / str(number))
            for service in STORED:
                assert await shown_state(again, service) == await shown_state(world, service), service
            await again.engine.stop()
            await asyncio.sleep(0)
    finally:
        await world.stop()
