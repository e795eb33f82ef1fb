"""What every platform must do. Bind it by a subclass with a fixture `platform`."""

import pytest

from greenroom.meetings.room import AdmissionWindow
from greenroom.platforms import AliasTakenError, Capabilities, Platform
from support.records import HOUR, NOON, room

OTHER_ALIAS = room(9).alias


class PlatformContract:
    """Tests through the contract's own methods alone; what a caller sees is tested beside the adapter."""

    async def test_a_platform_says_what_it_can_do(self, platform: Platform) -> None:
        assert isinstance(platform.capabilities, Capabilities)

    async def test_a_check_passes(self, platform: Platform) -> None:
        await platform.check()

    async def test_ensuring_again_changes_nothing(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.ensure(room(1))

    async def test_a_room_can_change_everything_but_its_mark(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        later = AdmissionWindow(NOON, NOON + HOUR, NOON + 2 * HOUR, None)
        await platform.ensure(
            room(
                1,
                alias=OTHER_ALIAS,
                join_id=room(9).join_id,
                name="Other",
                description="",
                owner="bob@example.com",
                window=later,
                host_pin=None,
                guest_pin=None,
            )
        )
        # The alias it had is free again, the one it has is not.
        await platform.ensure(room(2, alias=room(1).alias, join_id=room(1).join_id))
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(3, alias=OTHER_ALIAS))

    async def test_the_alias_of_another_room_is_taken(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        with pytest.raises(AliasTakenError) as raised:
            await platform.ensure(room(2, alias=room(1).alias))
        assert "Planning" not in str(raised.value)
        await platform.ensure(room(2))

    async def test_a_change_to_the_alias_of_another_room_leaves_both_as_they_are(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.ensure(room(2))
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(2, alias=room(1).alias))
        for number in (1, 2):
            with pytest.raises(AliasTakenError):
                await platform.ensure(room(3, alias=room(number).alias))

    async def test_retiring_is_safe_to_repeat_and_without_a_room(self, platform: Platform) -> None:
        await platform.retire(room(1).mark)
        await platform.ensure(room(1))
        await platform.retire(room(1).mark)
        await platform.retire(room(1).mark)

    async def test_a_retired_room_can_be_made_again(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.retire(room(1).mark)
        await platform.ensure(room(1))
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(2, alias=room(1).alias))

    async def test_the_alias_of_a_retired_room_is_free(self, platform: Platform) -> None:
        await platform.ensure(room(1))
        await platform.retire(room(1).mark)
        await platform.ensure(room(2, alias=room(1).alias, join_id=room(1).join_id))
        with pytest.raises(AliasTakenError):
            await platform.ensure(room(1))

    async def test_closing_is_safe_to_repeat(self, platform: Platform) -> None:
        await platform.close()
        await platform.close()
