"""The survivability map: who needs whom. Click parts off, and see which operations survive, degrade or stop.

    SurvivalMap(cluster)              # the cluster that runs, as it is now
    SurvivalMap("small")              # a profile, or members by role: {"proxy": 2, ...}
    SurvivalMap(version="2.6")        # today's, from documentation; a switch on the map changes it
    map.verdicts                      # of the map as it stands, after clicks and edits

The verdicts are worked out in the browser from the facts of `halab.models.milvus_versions`; a test
holds them equal to those of `halab.models.survival`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import traitlets

from halab.cluster.protocol import ROLES, Cluster, Component
from halab.errors import CourseError
from halab.models.milvus_versions import ARCHITECTURES, COURSE, Architecture, version_of
from halab.models.survival import Member, Verdict, members, single_losses, verdicts
from halab.tables import text_table
from halab.translation import gettext, gettext_noop, name_list, ngettext
from halab.widgets.base import CourseWidget, front_end

__all__ = ["DOCUMENTED", "SurvivalMap", "architecture_of", "parts_of"]

DOCUMENTED = gettext_noop("From documentation, not measured here.")

_MOST = 7  # members of one role, and copies: what fits a row

_ROLE = {"entry": gettext_noop("the clients' proxy"), "proxy": gettext_noop("another proxy")}
_VERSIONS = {
    "2.3.5": "2.3.5",
    "2.6": gettext_noop("2.6 and 3.0, log in Pulsar or Kafka"),
    "2.6 woodpecker": gettext_noop("2.6 and 3.0, log in Woodpecker"),
}
_SOURCES = {
    "profile": gettext_noop("profile {name}"),
    "own": gettext_noop("your own topology"),
    "cluster": gettext_noop("cluster {name!r} ({engine}), in thought: nothing is killed here"),
}


class SurvivalMap(CourseWidget):
    """A cluster's parts as switches, with arrows to what each needs, and what becomes of each operation.

    Nothing is killed: it is worked out. `parts` and `down` follow the browser: what was added, taken away and
    switched off there. `copies` is how many copies of the data are loaded, a whole number from 1 to 7.
    `switch` says that clients move to another proxy by themselves, and `source` where the parts are from.
    `version` is a key of `halab.models.milvus_versions.ARCHITECTURES`: the course's, or today's, which was
    read and not measured. It says which is shown first, by default that of the cluster; a running cluster's
    parts stand under its own version, and under the others those of a profile. Raises CourseError for a
    version, a profile or a role there is not.
    """

    _esm, _css = front_end("survival_map")

    parts = traitlets.List().tag(sync=True)
    down = traitlets.List().tag(sync=True)
    copies = traitlets.Int(1, min=1, max=_MOST).tag(sync=True)
    facts = traitlets.List().tag(sync=True)
    switch = traitlets.Bool(False).tag(sync=True)
    source = traitlets.Dict().tag(sync=True)
    version = traitlets.Enum(tuple(ARCHITECTURES), COURSE).tag(sync=True)
    architectures = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        topology: Cluster | str | Mapping[str, int] = "ha",
        *,
        copies: int | None = None,
        down: Iterable[str] = (),
        version: str | None = None,
    ) -> None:
        home = _home(topology, version)
        version = version or home
        profile = topology if isinstance(topology, str) else "ha"
        parts, source = _topology(topology if version == home else profile, architecture_of(version))
        nodes = sum(part.role == "querynode" for part in parts)
        copies = min(_MOST, max(1, nodes)) if copies is None else copies
        down = list(down)
        verdicts(parts, down, copies)  # what makes no sense is refused here, not in the browser
        # What the switch of versions shows: the same profile, and what was asked for under its own version.
        self._choices = {
            name: (each, *_topology(topology if name == home else profile, each))
            for name, each in ARCHITECTURES.items()
        }
        super().__init__(
            parts=[asdict(part) for part in parts], source=source, down=down, copies=copies, version=version
        )

    def told(self) -> dict[str, Any]:
        choices = {version: _choice(*choice) for version, choice in self._choices.items()}
        return {"architectures": choices, "facts": choices[self.version]["facts"]}

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What becomes of each operation as the map stands now."""
        facts = ARCHITECTURES[self.version].facts
        return verdicts(self._members, self.down, self.copies, switch=self.switch, facts=facts)

    @property
    def _members(self) -> list[Member]:
        return [Member(**part) for part in self.parts]

    def text(self) -> str:
        """The parts that are off, the operations' fates with their reasons, and what alone stops a search."""
        off = name_list(self.down) or gettext("nothing")
        rows = [
            [
                gettext(verdict.operation),
                gettext(verdict.fate),
                " ".join(
                    gettext("{role}: {why}").format(
                        role=gettext(_ROLE.get(fact.role, fact.role)), why=gettext(fact.why)
                    )
                    for fact in verdict.because
                ),
            ]
            for verdict in self.verdicts
        ]
        copies = ngettext("{copies} copy of the data", "{copies} copies of the data", self.copies).format(
            copies=self.copies
        )
        architecture = ARCHITECTURES[self.version]
        alone = single_losses(
            self._members, "search", self.copies, switch=self.switch, facts=architecture.facts
        )
        read = (
            []
            if architecture.measured
            else [
                gettext(DOCUMENTED),
                gettext("Sources: {sources}").format(sources=" ".join(architecture.sources)),
            ]
        )
        return text_table(
            gettext("Milvus {version}; {source}; {copies}; off: {off}").format(
                version=gettext(_VERSIONS[self.version]),
                source=gettext(_SOURCES[self.source["kind"]]).format(**self.source),
                copies=copies,
                off=off,
            ),
            [gettext_noop("operation"), "", gettext_noop("because")],
            rows,
            [
                gettext("Lost alone, these stop a search: {parts}.").format(
                    parts=name_list(alone) or gettext("none")
                ),
                *read,
            ],
            align="left",
        )


def parts_of(components: Iterable[Component]) -> tuple[Member, ...]:
    """A running cluster's parts in the order of the roles; the first proxy is the one clients talk to."""
    made, entry = [], True
    for component in sorted(components, key=lambda part: (ROLES.index(part.role), part.name)):
        role = component.role
        if role == "proxy" and entry:
            role, entry = "entry", False
        made.append(Member(component.name, role, component.ha_state in ("active", "leader")))
    return tuple(made)


def architecture_of(version: str) -> Architecture:
    """How a version is built. Raises CourseError for one there is not."""
    if version not in ARCHITECTURES:
        known = ", ".join(f'"{each}"' for each in ARCHITECTURES)
        raise CourseError(
            gettext("There is no map of Milvus {version!r}.").format(version=version),
            hint=gettext("Choose from {known}.").format(known=known),
        )
    return ARCHITECTURES[version]


def _choice(architecture: Architecture, parts: Iterable[Member], source: dict[str, str]) -> dict[str, Any]:
    """What the map holds under one version."""
    facts = [{**asdict(fact), "why": gettext(fact.why)} for fact in architecture.facts]
    return {"parts": [asdict(part) for part in parts], "facts": facts, "source": source}


def _topology(
    given: Cluster | str | Mapping[str, int], architecture: Architecture
) -> tuple[tuple[Member, ...], dict[str, str]]:
    if isinstance(given, str):
        profiles = architecture.profiles
        if given not in profiles:
            raise CourseError(
                gettext("There is no profile {given!r}.").format(given=given),
                hint=gettext("Choose from {profiles}.").format(profiles=", ".join(profiles)),
            )
        return members(profiles[given]), {"kind": "profile", "name": given}
    if isinstance(given, Mapping):
        roles = architecture.roles
        wrong = [f"{role}: {count}" for role, count in given.items() if not _fits(role, count, roles)]
        if wrong:
            raise CourseError(
                gettext("These are no members of a role: {wrong}.").format(wrong=", ".join(wrong)),
                hint=gettext(
                    'Give 0 to {most} by role, such as {{"proxy": 2}}; the roles are {roles}.'
                ).format(most=_MOST, roles=", ".join(roles)),
            )
        return members({role: given.get(role, 0) for role in roles}), {"kind": "own"}
    return parts_of(given.components()), {"kind": "cluster", "name": given.name, "engine": given.engine}


def _home(given: Cluster | str | Mapping[str, int], version: str | None) -> str:
    """The version that what was asked for belongs to: a running cluster's own."""
    if isinstance(given, str | Mapping):
        return version or COURSE
    return version_of(part.role for part in given.components())


def _fits(role: str, count: Any, roles: Iterable[str]) -> bool:
    return role in roles and isinstance(count, int) and 0 <= count <= _MOST
