"""What the sub-commands of `conference` have in common: how they are called, and the tables they stand in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.modules.mod_conference.member import Member
    from host.modules.mod_conference.room import Room


@dataclass(slots=True)
class Call:
    """One call of a sub-command: the room and its name as it was given, the words behind the sub-command's name.

    `text` is all that stands there, `name` the sub-command's.
    """

    room: Room
    called: str
    name: str
    words: list[str]
    text: str = ""
    output: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Add to the reply."""
        self.output.append(text)

    def word(self, index: int) -> str:
        """Return a word, empty when there are not so many."""
        return self.words[index] if index < len(self.words) else ""


# Writes its reply; False adds the syntax to it.
RoomCommand = Callable[[Call], bool]

# Does something to one member; `data` is the word behind the member, None when there is none.
MemberCommand = Callable[[Call, "Member", "str | None"], object]


@dataclass(frozen=True, slots=True)
class SubCommand:
    """A sub-command; `title` is its name in its syntax (FreeSWITCH: not always the one it is called by)."""

    name: str
    syntax: str
    title: str
    run: RoomCommand | None = None
    run_for_member: MemberCommand | None = None

    @property
    def usage(self) -> str:
        """The name with the syntax."""
        return f"{self.title} {self.syntax}"


class SubCommands:
    """A part of the sub-commands, in the order of their definition."""

    def __init__(self) -> None:
        self._commands: list[SubCommand] = []

    def room(self, name: str, syntax: str = "", title: str = "") -> Callable[[RoomCommand], RoomCommand]:
        """Make the function below a sub-command for the room."""

        def add(run: RoomCommand) -> RoomCommand:
            self._commands.append(SubCommand(name, syntax, title or name, run=run))
            return run

        return add

    def member(self, name: str, syntax: str = "") -> Callable[[MemberCommand], MemberCommand]:
        """Make the function below a sub-command for a member, all, the last, or all who are no moderators."""

        def add(run: MemberCommand) -> MemberCommand:
            self._commands.append(SubCommand(name, syntax, name, run_for_member=run))
            return run

        return add

    def __iter__(self) -> Iterator[SubCommand]:
        return iter(self._commands)
