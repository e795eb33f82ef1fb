"""The contract, kept in each way rooms can exist on Pexip. What callers meet by policy is tested beside the policy desk."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from greenroom.platforms import Platform
from greenroom.platforms.pexip.style import PexipSettings
from support.empty import empty_storage
from support.pexip_fields import assert_known_fields, assert_known_list_patch
from support.pexip_site import AHEAD, JUST_IN_TIME, NONE, Site
from support.platform_contract import Later, PlatformContract


class Ways(PlatformContract):
    settings = PexipSettings(1, provisioning=AHEAD)
    managed = True

    @pytest.fixture
    async def site(self) -> AsyncIterator[Site]:
        async with empty_storage() as storage:
            site = Site(storage, self.settings, managed=self.managed)
            yield site
            if site.api is not None:
                await site.api.close()
        assert_well_spoken(site)

    @pytest.fixture
    def platform(self, site: Site) -> Platform:
        return site.platform

    @pytest.fixture
    def later(self, site: Site) -> Later:
        return site.clock.advance


def assert_well_spoken(site: Site) -> None:
    """Everything that was sent follows the published schema, and no list was ever deleted."""
    assert not site.pexip.calls.wipes()
    for call in site.pexip.calls.made(resource="configuration/*"):
        resource = call.resource.removeprefix("configuration/")
        if call.payload is None:
            assert call.method in ("GET", "DELETE")
        elif call.target == "list" and call.method == "PATCH":
            assert_known_list_patch(resource, call.payload)
        else:
            assert_known_fields(resource, call.payload, creating=call.method == "POST")


class TestAhead(Ways):
    pass


@pytest.mark.slow
class TestJustInTime(Ways):
    settings = PexipSettings(1, provisioning=JUST_IN_TIME)


class TestPolicyAlone(Ways):
    settings = PexipSettings(1, provisioning=NONE, policy=True, alias_quarantine=timedelta())
    managed = False


@pytest.mark.slow
class TestPolicyWithAView(Ways):
    settings = PexipSettings(1, provisioning=NONE, policy=True)


@pytest.mark.slow
class TestBoth(Ways):
    settings = PexipSettings(1, provisioning=AHEAD, policy=True)


@pytest.mark.slow
class TestBothJustInTime(Ways):
    settings = PexipSettings(1, provisioning=JUST_IN_TIME, policy=True)


@pytest.mark.parametrize(
    ("settings", "judges", "latency"),
    [
        (PexipSettings(1), False, timedelta(seconds=90)),
        (PexipSettings(1, policy=True), True, timedelta()),
        (PexipSettings(1, provisioning=NONE, policy=True), True, timedelta()),
    ],
    ids=["ahead", "both", "policy"],
)
async def test_only_with_policy_it_judges_the_time_and_rooms_are_there_at_once(
    settings: PexipSettings, judges: bool, latency: timedelta
) -> None:
    async with empty_storage() as storage:
        said = Site(storage, settings).platform.capabilities
    assert (said.judges_time, said.latency, said.closes) == (judges, latency, True)
    assert said.alias_quarantine == timedelta(days=90)


async def test_rooms_cannot_be_made_without_a_way_to_make_them() -> None:
    async with empty_storage() as storage:
        with pytest.raises(ValueError, match="without the management API"):
            Site(storage, PexipSettings(1, provisioning=AHEAD, policy=True), managed=False)
