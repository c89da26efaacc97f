"""Geometry of an outcome flow: a column for each side, ribbons between them, and the matrix of the same counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cbeval.records import Outcome
from cbeval.report.charts import LETTERS, RunMark


@dataclass(frozen=True)
class Node:
    """The answers of one outcome on one side of a flow, as a piece of that side's column."""

    outcome: str
    letter: str
    count: int
    y: float
    height: float
    mid: float


@dataclass(frozen=True)
class Ribbon:
    """The answers that went from one outcome to another: an SVG path in a 100 x 100 box."""

    outcome: str
    d: str
    title: str


@dataclass(frozen=True)
class Cell:
    """One count of the flow matrix; `weight` 0..6 is its shade."""

    base: str
    other: str
    count: int
    weight: int
    same: bool
    spoken: str


@dataclass(frozen=True)
class MatrixRow:
    """Where the base's answers of one outcome went."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Flow:
    """The ways of the base's answers, as columns with ribbons and as a matrix."""

    title: str
    base: RunMark
    other: RunMark
    left: tuple[Node, ...]
    right: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[MatrixRow, ...]
    spoken: str
    suite: int
    attack: int
    part: int
    kind: str
    """The section's place in the explorer's filters."""


def _column(counts: Sequence[tuple[Outcome, int]], total: int, gap: float) -> list[Node]:
    """Nodes of one side, from top to bottom, with gaps; heights in percent of the box."""
    present = [(outcome, count) for outcome, count in counts if count]
    scale = (100 - gap * (len(present) - 1)) / total
    nodes, y = [], 0.0
    for outcome, count in present:
        height = count * scale
        mid = round(y + height / 2, 3)
        nodes.append(Node(str(outcome), LETTERS[outcome], count, round(y, 3), round(height, 3), mid))
        y += height + gap
    return nodes


def flow(
    title: str,
    base: RunMark,
    other: RunMark,
    flows: Mapping[Outcome, Mapping[Outcome, int]],
    *,
    place: tuple[int, int, int, str] = (0, 0, 0, "H"),
) -> Flow | None:
    """Columns, ribbons and matrix of outcome flows (base outcome -> other outcome -> count); None without pairs."""
    total = sum(sum(row.values()) for row in flows.values())
    if not total:
        return None
    starts = [(outcome, sum(flows[outcome].values())) for outcome in Outcome]
    ends = [(outcome, sum(row[outcome] for row in flows.values())) for outcome in Outcome]
    left, right = _column(starts, total, 2.0), _column(ends, total, 2.0)
    rows_shown, columns_shown = _present(starts), _present(ends)

    cursors = {node.outcome: node.y for node in left}, {node.outcome: node.y for node in right}
    unit = {node.outcome: node.height / node.count for node in left}, {n.outcome: n.height / n.count for n in right}
    ribbons = []
    for start in Outcome:
        for end in Outcome:
            count = flows[start][end]
            if not count:
                continue
            y0, y1 = cursors[0][start], cursors[1][end]
            h0, h1 = count * unit[0][start], count * unit[1][end]
            cursors[0][start] += h0
            cursors[1][end] += h1
            path = (
                f"M0 {y0:.2f}C50 {y0:.2f} 50 {y1:.2f} 100 {y1:.2f}"
                f"V{y1 + h1:.2f}C50 {y1 + h1:.2f} 50 {y0 + h0:.2f} 0 {y0 + h0:.2f}Z"
            )
            ribbons.append(Ribbon(str(start), path, f"{start} to {end}: {count}"))
    rows = tuple(
        MatrixRow(str(start), tuple(_cell(start, end, flows[start][end], total) for end in columns_shown))
        for start in rows_shown
    )
    moves = [(flows[a][b], f"{flows[a][b]} {a} to {b}") for a in Outcome for b in Outcome if flows[a][b]]
    spoken = f"From {base.name} to {other.name}: " + ", ".join(text for _, text in sorted(moves, key=lambda m: -m[0]))
    return Flow(
        title,
        base,
        other,
        tuple(left),
        tuple(right),
        tuple(ribbons),
        tuple((str(outcome), LETTERS[outcome]) for outcome in columns_shown),
        rows,
        spoken,
        *place,
    )


def _present(counts: Sequence[tuple[Outcome, int]]) -> list[Outcome]:
    """The outcomes of a side of the matrix: the four verdicts always, `unjudged` only if there are any."""
    return [outcome for outcome, count in counts if count or outcome is not Outcome.UNJUDGED]


def _cell(start: Outcome, end: Outcome, count: int, total: int) -> Cell:
    weight = min(6, int(7 * (count / total) ** 0.6))
    return Cell(LETTERS[start], LETTERS[end], count, weight, start == end, f"{count} from {start} to {end}")
