"""The topics of a connection as a tree, one level at a time: what lies directly below a prefix."""

from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Case, CharField, Count, F, Max, Min, QuerySet, Sum, Value, When
from django.db.models.functions import Left, StrIndex, Substr

from mqtt.models import DiscoveredTopic

MOST_CHILDREN = 500


class Branch(NamedTuple):
    """One level below a prefix."""

    name: str
    prefix: str
    """Of what lies below it, ending in a slash."""
    topics: int
    messages: int
    undecoded: int
    last_seen_at: Any
    leaf_id: int | None
    """The topic that ends here, if any."""

    @property
    def has_more(self) -> bool:
        """Whether topics go on below it."""
        return self.topics > (self.leaf_id is not None)


def below(topics: QuerySet[DiscoveredTopic], prefix: str) -> tuple[list[Branch], bool]:
    """The branches below a prefix (empty, or ending in a slash) in their order, and whether there are more."""
    found = topics.order_by()
    if prefix:
        # LIKE takes capitals for small letters on SQLite, topics do not: the second condition compares exactly.
        found = found.filter(topic__startswith=prefix).alias(start=Left("topic", len(prefix))).filter(start=prefix)
    rest = Substr("topic", len(prefix) + 1)
    slash = StrIndex(rest, Value("/"))
    level = Case(
        When(slash_at=0, then=F("rest")),
        default=Substr("rest", 1, F("slash_at") - 1),
        output_field=CharField(),
    )
    is_leaf = Case(When(slash_at=0, then=F("pk")), default=None, output_field=BigIntegerField())
    rows = (
        found.annotate(rest=rest, slash_at=slash)
        .annotate(level=level, leaf=is_leaf)
        .values("level")
        .annotate(
            topics=Count("pk"),
            messages=Sum("message_count"),
            undecoded=Sum("undecoded_count"),
            last=Max("last_seen_at"),
            leaf_id=Min("leaf"),
        )
        .order_by("level")[: MOST_CHILDREN + 1]
    )
    branches = [
        Branch(
            row["level"],
            f"{prefix}{row['level']}/",
            row["topics"],
            row["messages"],
            row["undecoded"],
            row["last"],
            row["leaf_id"],
        )
        for row in rows
    ]
    return branches[:MOST_CHILDREN], len(branches) > MOST_CHILDREN
