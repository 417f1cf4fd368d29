"""The order of the operations of a Bulk request: creations before the operations that refer to them (RFC 7644 §3.7)."""

from collections.abc import Iterator, Sequence

from scimsvc.protocol.bulk import BulkOperation

#: Positions in the request. Several creations refer to each other in a circle.
Group = tuple[int, ...]


def execution_order(operations: Sequence[BulkOperation]) -> list[Group]:
    """Return the positions of ``operations`` in groups, in the order in which they can be executed.

    The order of the request is kept, except that the creations to which an operation refers come first. A group has one
    position, or the positions of a circle, none of which can be executed before the others.
    """
    creations = {each.bulk_id: position for position, each in enumerate(operations) if each.is_creation}
    edges = [sorted(creations[each] for each in operation.references & creations.keys()) for operation in operations]
    walk = _Walk(edges)
    for start in range(len(operations)):
        walk.visit_from(start)
    return walk.groups


class _Walk:
    """Tarjan's algorithm for strongly connected components, without recursion because a chain may be long."""

    def __init__(self, edges: Sequence[Sequence[int]]) -> None:
        self.groups: list[Group] = []
        self._edges = edges
        #: The number of each visited position, in the order of the first visits.
        self._numbers: dict[int, int] = {}
        #: The lowest number that a position reaches within its circle.
        self._lowest: dict[int, int] = {}
        #: Visited positions that belong to no group yet.
        self._open: dict[int, None] = {}

    def visit_from(self, start: int) -> None:
        """Add the groups of all positions that ``start`` leads to and that were not visited yet."""
        if start in self._numbers:
            return
        path = [(start, self._begin(start))]
        while path:
            position, remaining = path[-1]
            following = next(remaining, None)
            if following is None:
                path.pop()
                self._end(position, path[-1][0] if path else position)
            elif following not in self._numbers:
                path.append((following, self._begin(following)))
            elif following in self._open:
                self._lowest[position] = min(self._lowest[position], self._numbers[following])

    def _begin(self, position: int) -> Iterator[int]:
        self._numbers[position] = self._lowest[position] = len(self._numbers)
        self._open[position] = None
        return iter(self._edges[position])

    def _end(self, position: int, previous: int) -> None:
        self._lowest[previous] = min(self._lowest[previous], self._lowest[position])
        if self._lowest[position] < self._numbers[position]:
            return
        group = [position]
        while (last := self._open.popitem()[0]) != position:
            group.append(last)
        self.groups.append(tuple(sorted(group)))
